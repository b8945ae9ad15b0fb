"""The event lines of one category, block by block, into the files of its format year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.columns import Columns, columns, id_dirt, rating_lines
from sequoia.synthetic.damage import Kinds, damaged_ratings, damaged_reviews
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.events import EventBlock, event_block
from sequoia.synthetic.identifiers import user_ids
from sequoia.synthetic.line_file import LineFile
from sequoia.synthetic.reviews import ReviewLines
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.summary import FileFormat

FREQUENT_LINES = 5  # as in the official 5-core files, duplicates count, and items are not looked at again


@dataclass(frozen=True, kw_only=True)
class EventFile:
    """A file of a category: its name, its format, whose lines it holds, what its unusable lines look like."""

    name: str
    format: FileFormat
    frequent_only: bool
    damage: Callable[[str, str], Kinds]


def event_files(settings: CorpusSettings, category: str) -> list[EventFile]:
    """Return the event files of a category; the first one holds every event."""
    if settings.categories[category] == 2014:
        name = f"reviews_{category}.json.gz"
        return [EventFile(name=name, format="reviews", frequent_only=False, damage=damaged_reviews)]
    ratings, core = f"{category}.csv.gz", f"{category}_5.json.gz"
    return [
        EventFile(name=ratings, format="ratings", frequent_only=False, damage=damaged_ratings),
        EventFile(name=core, format="reviews", frequent_only=True, damage=damaged_reviews),
    ]


class CategoryEvents:
    """Generates a category's blocks; asins is an object array [items]."""

    def __init__(self, settings: CorpusSettings, category: str, asins: NDArray[np.object_]) -> None:
        self._settings, self._asins = settings, asins
        self._year = settings.categories[category]
        self._index = list(settings.categories).index(category)
        self._draws = Draws(settings.seed, category)
        self._people = Draws(settings.seed, "users")
        # Files come in runs ordered by asin, which says nothing of the order of events.
        self._sort_rank = np.argsort(np.argsort(asins))

    def write(self, start: int, kinds: list[EventFile], files: list[LineFile]) -> None:
        """Write the lines of the users from a number on, one block, to every file."""
        stop = min(start + self._settings.block_users, self._settings.users)
        members = self._members(np.arange(start, stop, dtype=np.uint64))
        activity = self._people.uniform("activity", members)
        block = event_block(self._settings, self._draws, members, activity, self._sort_rank)
        reviewers = np.array(user_ids(self._people, members), dtype=object)
        for kind, file in zip(kinds, files, strict=True):
            lines = block.take(_is_frequent(block)) if kind.frequent_only else block
            self._write_block(lines, columns(lines, reviewers, self._asins), kind.format, file)

    def _write_block(
        self, block: EventBlock, texts: Columns, file_format: FileFormat, file: LineFile
    ) -> None:
        account = file.account
        account.add(block.item, kept=block.count_distinct(), users=len(np.unique(block.user)))
        account.dirt.update(id_dirt(texts))
        account.dirt["altered_copy"] += int((block.version > 0).sum())
        if file_format == "ratings":
            file.write(rating_lines(texts))
        else:
            reviews = ReviewLines(self._draws, block, account.dirt)
            file.write(reviews.lines(texts, self._year, one_is_long=file.is_first_block))

    def _members(self, users: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the users whose home, or whose second category, this one is."""
        count = len(self._settings.categories)
        home = self._people.below(count, "home", users)
        second = (home + 1 + self._people.below(max(count - 1, 1), "second", users)) % count
        has_second = self._people.uniform("has second", users) < self._settings.second_category_share
        belongs: NDArray[np.bool_] = (home == self._index) | (has_second & (second == self._index))
        return users[np.flatnonzero(belongs)]


def _is_frequent(block: EventBlock) -> NDArray[np.bool_]:
    lines = np.bincount(block.user, minlength=len(block.users))
    return lines[block.user] >= FREQUENT_LINES
