"""The event lines of one category, block by block, for the files of its format year."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.synthetic.catalogue import cumulated
from sequoia.synthetic.columns import columns, id_dirt, rating_lines, review_times
from sequoia.synthetic.damage import Kinds, damaged_ratings, damaged_reviews
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.events import EventBlock, event_block
from sequoia.synthetic.identifiers import user_ids
from sequoia.synthetic.reviews import ReviewLines
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.summary import Account, FileFormat

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
    end = ".gz" if settings.compress else ""
    if settings.categories[category] == 2014:
        reviews, core, ratings = f"reviews_{category}.json{end}", False, None
    else:
        reviews, core, ratings = f"{category}_5.json{end}", True, f"{category}.csv{end}"
    files = []
    if ratings and "ratings" in settings.formats:
        files.append(EventFile(name=ratings, format="ratings", frequent_only=False, damage=damaged_ratings))
    if "reviews" in settings.formats:
        files.append(EventFile(name=reviews, format="reviews", frequent_only=core, damage=damaged_reviews))
    return files


class CategoryEvents:
    """Generates a category's blocks; asins holds the id of each item."""

    def __init__(self, settings: CorpusSettings, category: str, asins: pa.StringArray) -> None:
        self._settings, self._asins = settings, asins
        self._year = settings.categories[category]
        self._index = list(settings.categories).index(category)
        self._draws = Draws(settings.seed, category)
        self._people = Draws(settings.seed, "users")
        self._kinds = event_files(settings, category)
        # Files come in runs ordered by asin, which says nothing of the order of events.
        self._sort_rank = np.argsort(pa.compute.array_sort_indices(asins).to_numpy())

    def lines(self, block: int) -> Iterator[tuple[EventFile, Account, pa.BinaryArray]]:
        """Yield of every file the good lines of one block of users, counted."""
        start = block * self._settings.block_users
        stop = min(start + self._settings.block_users, self._settings.users)
        members = self._members(np.arange(start, stop, dtype=np.uint64))
        activity = self._people.uniform("activity", members)
        events = event_block(self._settings, self._draws, members, activity, self._sort_rank)
        reviewers = user_ids(self._people, members)
        for kind in self._kinds:
            chosen = events.take(_is_frequent(events)) if kind.frequent_only else events
            account = Account.of(chosen, len(self._asins))
            account.dirt.update(id_dirt(chosen, reviewers, self._asins))
            texts = columns(chosen, reviewers, self._asins)
            if kind.format == "ratings":
                yield kind, account, rating_lines(texts)
            else:
                reviews = ReviewLines(self._draws, chosen, account.dirt)
                dates = review_times(chosen)
                yield kind, account, reviews.lines(texts, dates, self._year, one_is_long=block == 0)

    def _members(self, users: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the users whose home this category is, or who go on to it from theirs."""
        count = len(self._settings.categories)
        sizes = np.arange(1, count + 1) ** -self._settings.category_skew
        home = np.searchsorted(cumulated(sizes), self._people.uniform("home", users), side="right")
        further = self._settings.further_category_share
        steps = np.zeros(len(users))
        if further > 0:
            steps = np.log1p(-self._people.uniform("further", users)) / np.log(further)
        return users[np.flatnonzero((self._index - home) % count <= steps)]


def _is_frequent(block: EventBlock) -> NDArray[np.bool_]:
    lines = np.bincount(block.user, minlength=len(block.users))
    return lines[block.user] >= FREQUENT_LINES
