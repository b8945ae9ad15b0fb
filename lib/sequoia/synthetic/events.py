"""The event lines of one block of users in one category, before they take a file format."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.calendar_days import LAST_DAY, spread
from sequoia.synthetic.catalogue import Items, Uniform
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.walks import Walk

STARS = np.array([5, 4, 3, 2, 1])
STAR_SHARES = np.array([0.60, 0.14, 0.08, 0.06, 0.12])
MANY_COPIES_SHARE = 0.02  # of repeated events, written up to MOST_COPIES more times instead of once
MOST_COPIES = 8


@dataclass(frozen=True, kw_only=True)
class EventBlock:
    """Event lines; all arrays but users are int64 of one length."""

    users: NDArray[np.uint64]  # user numbers of the block's members
    user: Items  # row in users
    step: Items  # event number of the user, from 0
    item: Items  # item number within the category
    day: Items  # since 1970-01-01
    rating: Items  # 1 to 5 stars
    version: Items  # 0, or the number of the copy whose rating and text differ

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> EventBlock:
        """Return the block with some of its lines, in the given order."""
        names = ("user", "step", "item", "day", "rating", "version")
        return EventBlock(users=self.users, **{name: getattr(self, name)[rows] for name in names})

    def number(self) -> NDArray[np.uint64]:
        """Return the user number of each line."""
        return self.users[self.user]

    def moment(self) -> Items:
        """Return a number that tells the lines of one user apart, equal for exact copies."""
        return self.step * 64 + self.version

    def count_distinct(self) -> int:
        """Count the distinct (user, item, day)."""
        if not len(self):
            return 0
        keys = (self.user * (self.item.max() + 1) + self.item) * (LAST_DAY + 1) + self.day
        keys.sort()
        return int(np.count_nonzero(np.diff(keys))) + 1


def event_block(
    settings: CorpusSettings, draws: Draws, members: NDArray[np.uint64], activity: Uniform, sort_rank: Items
) -> EventBlock:
    """Generate the lines of users, in the order of sort_rank of the item, users mixed.

    activity in [0, 1) per user says how many events; sort_rank is int64 [items of the category].
    """
    counts = event_counts(settings, draws, members, activity)
    user, step, item = Walk(draws, settings, members).events(counts)
    gaps = _gaps(settings, draws, members[user], step, step == np.repeat(counts, counts) - 1)
    day = spread(gaps, counts, draws.uniform("start", members))
    ratings = _stars(draws, members[user], step)
    version = np.zeros_like(step)
    single = EventBlock(
        users=members, user=user, step=step, item=item, day=day, rating=ratings, version=version
    )
    block = _repeated(settings, draws, single)
    return block.take(_order(sort_rank[block.item], draws.bits("order", block.number(), block.item)))


def _order(first: Items, then: NDArray[np.uint64]) -> Items:
    """Return the rows ordered by one number and, among equal ones, by the upper bits of another."""
    row_bits = max(len(first) - 1, 1).bit_length()
    low = 64 - int(first.max(initial=0)).bit_length() - 1
    upper = first.astype(np.uint64) << np.uint64(low)
    # A sort of numbers that hold their row is several times as fast as one that returns the rows.
    middle = then >> np.uint64(64 - low) >> np.uint64(row_bits) << np.uint64(row_bits)
    keys = np.sort(upper | middle | np.arange(len(first), dtype=np.uint64))
    rows: Items = (keys & np.uint64((1 << row_bits) - 1)).astype(np.int64)
    return rows


def event_counts(
    settings: CorpusSettings, draws: Draws, members: NDArray[np.uint64], activity: Uniform
) -> NDArray[np.int64]:
    """Return the number of events per user: one, two to four, or five and more with a geometric tail."""
    few = 2 + draws.below(3, "few", members)
    tail = max(settings.mean_active_events - 5, 1e-9)
    beyond = np.log1p(-draws.uniform("many", members)) / np.log(tail / (1 + tail))
    many = 5 + beyond.astype(np.int64)
    counts = np.where(activity < settings.single_share, 1, few)
    return np.where(activity >= 1 - settings.active_share, np.minimum(many, settings.max_events), counts)


def _gaps(
    settings: CorpusSettings, draws: Draws, users: NDArray[np.uint64], step: Items, is_last: NDArray[np.bool_]
) -> Items:
    same_day = np.where(is_last, settings.last_day_share, settings.same_day_share)
    stays = (step == 0) | (draws.uniform("same day", users, step) < same_day)
    wait = -np.log1p(-draws.uniform("gap", users, step)) * settings.mean_gap_days
    return np.where(stays, 0, 1 + wait.astype(np.int64))


def _stars(draws: Draws, users: NDArray[np.uint64], moment: Items) -> Items:
    below = np.cumsum(STAR_SHARES)[:-1]
    return STARS[np.searchsorted(below, draws.uniform("stars", users, moment), side="right")]


def _repeated(settings: CorpusSettings, draws: Draws, block: EventBlock) -> EventBlock:
    users = block.number()
    is_repeated = draws.uniform("repeat", users, block.step) < settings.duplicate_share
    has_many = draws.uniform("many copies", users, block.step) < MANY_COPIES_SHARE
    extra = np.where(has_many, 1 + draws.below(MOST_COPIES, "copies", users, block.step), 1)
    written = 1 + np.where(is_repeated, extra, 0)
    copies = block.take(np.repeat(np.arange(len(block)), written))
    number = np.arange(len(copies)) - np.repeat(np.cumsum(written) - written, written)
    moment = copies.step * 64 + number
    is_altered = (number > 0) & (draws.uniform("alter", copies.number(), moment) < settings.altered_share)
    stars = np.where(is_altered, _stars(draws, copies.number(), moment + 2**32), copies.rating)
    return EventBlock(
        users=copies.users, user=copies.user, step=copies.step, item=copies.item, day=copies.day,
        rating=stars, version=np.where(is_altered, number, 0),
    )  # fmt: skip
