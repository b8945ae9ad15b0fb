"""The corpus in parts: a block of users or of products of one category, which any process makes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from isal import igzip

from sequoia.synthetic.block_text import block_text
from sequoia.synthetic.category_events import CategoryEvents, event_files
from sequoia.synthetic.damage import damaged_metadata, repeat_kinds
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.identifiers import asins, user_ids
from sequoia.synthetic.metadata import count_chunks, metadata_chunk
from sequoia.synthetic.products import Products
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.summary import Account

COMPRESSION = 2  # of 0 to 3: packs as zlib does in a quarter of the time

Damaged = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Task:
    """One block of a category, of its users or, for the metadata, of its products."""

    category: str
    block: int
    of_products: bool


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """The bytes that a task adds to a file."""

    file: str
    text: bytes
    account: Account


def tasks_of(settings: CorpusSettings) -> list[Task]:
    """Return all tasks in the order of the files' bytes."""
    tasks = []
    for category in settings.categories:
        tasks += [Task(category, block, of_products=False) for block in range(count_blocks(settings))]
        if "metadata" in settings.formats:
            tasks += [Task(category, block, of_products=True) for block in range(count_chunks(settings))]
    return tasks


def count_blocks(settings: CorpusSettings) -> int:
    """Return the number of blocks of users."""
    return -(-settings.users // settings.block_users)


def metadata_name(settings: CorpusSettings, category: str) -> str:
    """Return the name of a category's metadata file."""
    return f"meta_{category}.json{'.gz' if settings.compress else ''}"


class Maker:
    """Makes parts; what all parts of a category share is kept between them."""

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings = settings
        self._category: _Category | None = None

    def make(self, task: Task) -> list[FilePart]:
        """Return what a task adds to the files of its category, in their order."""
        if self._category is None or self._category.name != task.category:
            self._category = _Category(self._settings, task.category)
        return (self._category.products if task.of_products else self._category.users)(task.block)


class _Category:
    def __init__(self, settings: CorpusSettings, name: str) -> None:
        self._settings, self.name = settings, name
        self._is_first = name == next(iter(settings.categories))
        count = settings.items_per_category
        items = np.arange(count) + list(settings.categories).index(name) * count
        self._asins = asins(Draws(settings.seed, "items"), items)

    @cached_property
    def _events(self) -> CategoryEvents:
        return CategoryEvents(self._settings, self.name, self._asins)

    @cached_property
    def _products(self) -> Products:
        draws = self._draws(metadata_name(self._settings, self.name))
        return Products(self._settings, draws, self.name, self._asins.to_numpy(zero_copy_only=False))

    @cached_property
    def _damaged(self) -> dict[str, Damaged]:
        found = {file.name: file.damage for file in event_files(self._settings, self.name)}
        found[metadata_name(self._settings, self.name)] = damaged_metadata
        return {name: repeat_kinds(make, *self._strangers(name)) for name, make in found.items()}

    def users(self, block: int) -> list[FilePart]:
        blocks, parts = count_blocks(self._settings), []
        for number, (kind, account, lines) in enumerate(self._events.lines(block)):
            mark = self._is_first and number == 0 and block == 0
            parts.append(self._part(kind.name, account, lines, block, blocks, mark=mark))
        return parts

    def products(self, block: int) -> list[FilePart]:
        name = metadata_name(self._settings, self.name)
        year = self._settings.categories[self.name]
        account = Account(np.zeros(len(self._asins), dtype=bool))
        draws = self._draws(name)
        chunk = metadata_chunk(self._settings, draws, self._products, year, account.dirt, block)
        account.add(chunk.items, kept=chunk.distinct, users=0)
        return [self._part(name, account, chunk.lines, block, count_chunks(self._settings))]

    def _part(
        self, name: str, account: Account, lines: pa.BinaryArray, block: int, blocks: int, mark: bool = False
    ) -> FilePart:
        draws, damaged = self._draws(name), self._damaged[name][block::blocks]
        text = block_text(lines, damaged, draws, account, block=block, mark=mark)
        packed = igzip.compress(text, COMPRESSION, mtime=0) if name.endswith(".gz") else text.to_pybytes()
        return FilePart(file=name, text=packed if len(text) else b"", account=account)

    def _draws(self, name: str) -> Draws:
        return Draws(self._settings.seed, name.removesuffix(".gz"))  # packed or not, the same lines

    def _strangers(self, name: str) -> tuple[list[str], list[str]]:
        # Unusable lines name users that no good line names: who lets one pass counts a user too many.
        numbers = np.arange(self._settings.malformed_per_kind, dtype=np.uint64)
        users = user_ids(Draws(self._settings.seed, "users"), numbers + np.uint64(self._settings.users))
        rows = self._draws(name).below(len(self._asins), "item of a damaged line", numbers)
        return users.to_pylist(), self._asins.take(pa.array(rows)).to_pylist()
