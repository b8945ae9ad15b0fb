"""The whole corpus: for each category its event files and its metadata, one gzip stream each.

Users are generated in blocks, and each user from (seed, user number) alone, so time grows with the events and
memory only with the block and the number of items.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sequoia.errors import UserError
from sequoia.synthetic.category_events import CategoryEvents, event_files
from sequoia.synthetic.damage import damaged_metadata, repeat_kinds
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.identifiers import asins, user_ids
from sequoia.synthetic.line_file import LineFile
from sequoia.synthetic.metadata import count_chunks, metadata_chunks
from sequoia.synthetic.products import Products
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.summary import Account, CorpusSummary, FileSummary

Progress = Callable[[int, int], None]


def write_corpus(
    folder: Path, settings: CorpusSettings, *, progress: Progress | None = None
) -> CorpusSummary:
    """Write all files into a folder, the same bytes for the same settings, and return what was written.

    progress is called with (steps done, steps in all). Raises UserError when folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, and the corpus needs a folder: name another path")
    folder.mkdir(parents=True, exist_ok=True)
    files: list[FileSummary] = []
    steps = Steps(progress, len(settings.categories) * (count_blocks(settings) + 1))
    for index, category in enumerate(settings.categories):
        items = np.arange(settings.items_per_category) + index * settings.items_per_category
        ids = np.array(asins(Draws(settings.seed, "items"), items), dtype=object)
        files += _write_events(folder, settings, category, ids, steps)
        files.append(_write_metadata(folder, settings, category, ids))
        steps.advance()
    # The first event file of a category holds all its events, and every user has a home category.
    main = {file.category: file for file in reversed(files) if file.format != "metadata"}.values()
    return CorpusSummary(
        files=files,
        users=settings.users,
        items=sum(file.items for file in main),
        interactions=sum(file.kept for file in main),
    )


def count_blocks(settings: CorpusSettings) -> int:
    """Return the number of user blocks per category."""
    return -(-settings.users // settings.block_users)


class Steps:
    """Counts steps and passes them on."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def advance(self) -> None:
        """Report one more step as done."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def _write_events(
    folder: Path, settings: CorpusSettings, category: str, ids: NDArray[np.object_], steps: Steps
) -> list[FileSummary]:
    kinds = event_files(settings, category)
    events = CategoryEvents(settings, category, ids)
    is_first_category = category == next(iter(settings.categories))
    with ExitStack() as stack:
        files = []
        for number, kind in enumerate(kinds):
            draws = Draws(settings.seed, kind.name)
            damaged = repeat_kinds(kind.damage, *_strangers(settings, draws, ids))
            account = Account(np.zeros(len(ids), dtype=bool))
            mark = is_first_category and number == 0
            file = LineFile(
                folder / kind.name, draws, account, damaged, blocks=count_blocks(settings), mark=mark
            )
            files.append(stack.enter_context(file))
        for start in range(0, settings.users, settings.block_users):
            events.write(start, kinds, files)
            steps.advance()
    pairs = zip(kinds, files, strict=True)
    return [file.account.summary(kind.name, category, kind.format) for kind, file in pairs]


def _write_metadata(
    folder: Path, settings: CorpusSettings, category: str, ids: NDArray[np.object_]
) -> FileSummary:
    name = f"meta_{category}.json.gz"
    draws = Draws(settings.seed, name)
    damaged = repeat_kinds(damaged_metadata, *_strangers(settings, draws, ids))
    account = Account(np.zeros(len(ids), dtype=bool))
    products = Products(settings, draws, category, ids)
    year = settings.categories[category]
    with LineFile(folder / name, draws, account, damaged, blocks=count_chunks(settings)) as file:
        for items, distinct, lines in metadata_chunks(settings, draws, products, year, account.dirt):
            account.add(items, kept=distinct, users=0)
            file.write(lines)
    return account.summary(name, category, "metadata")


def _strangers(
    settings: CorpusSettings, draws: Draws, ids: NDArray[np.object_]
) -> tuple[list[str], list[str]]:
    # Unusable lines name users that no good line names: a reader that lets one pass counts a user too many.
    numbers = np.arange(settings.malformed_per_kind, dtype=np.uint64)
    users = user_ids(Draws(settings.seed, "users"), numbers + np.uint64(settings.users))
    return users, ids[draws.below(len(ids), "item of a damaged line", numbers)].tolist()
