"""Who reads which training rows when: a pure function of numbers, without any I/O.

Each epoch shuffles the row groups into one line, and the rows of each group, short and long ones evenly.
*Lanes* are equal stretches of the line, read side by side; a step takes the next rows of every lane, lane by
lane, and a rank an equal part of them. So a step holds the same rows whatever the number of ranks, every row
is read once an epoch, all steps of an epoch and all ranks of a step have as many rows (or one less) and about
as many events, and any step can be found again without what comes before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
STRATA = 16  # classes of length, of equal numbers of rows


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows start:stop of a row group, counted in its shuffled order, for a lane.

    place: of the first of them in the line of the epoch, which tells a row from all others.
    """

    lane: int
    group: int
    start: int
    stop: int
    place: int


@dataclass(frozen=True, kw_only=True)
class EpochPlan:
    """One epoch over row groups with these numbers of rows; batch_size: most rows of a step."""

    rows: tuple[int, ...]
    lanes: int
    batch_size: int
    seed: int
    epoch: int

    @cached_property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(self.rows)

    @cached_property
    def steps(self) -> int:
        """Return the number of steps, the same for every rank."""
        return -(-self.total // self.batch_size)

    def order(self, group: int, events: NDArray[Any]) -> Integers:
        """Return the shuffled order of a group's rows, (rows,) int64; events: how many each of them has.

        The rows of like length are spread over the order: ranks wait for the one with the most events.
        """
        rows = self.rows[group]
        chance = np.random.default_rng([self.seed, self.epoch, 1, group])
        shuffled = chance.permutation(rows)
        by_length = shuffled[np.argsort(events[shuffled], kind="stable")]
        bounds = rows * np.arange(STRATA + 1) // STRATA
        sizes = np.diff(bounds)
        within = np.arange(rows) - np.repeat(bounds[:-1], sizes)
        for first, last in pairwise(bounds):
            chance.shuffle(by_length[first:last])
        place = (within + chance.random(rows)) / np.repeat(sizes, sizes)
        return by_length[np.argsort(place, kind="stable")]

    def pieces(self, step: int, rank: int, size: int) -> Iterator[Piece]:
        """Yield what a rank of `size` reads in a step, in the order of the step's rows."""
        begin, end = self._taken(step), self._taken(step + 1)
        skip, stop = ((end - begin) * of // size for of in (rank, rank + 1))
        for lane in range(self.lanes):
            first, last = self._lane(lane, begin), self._lane(lane, end)
            if skip < last - first and stop > 0:
                place = self._lane_start(lane) + first
                yield from self._on_line(lane, place + max(skip, 0), place + min(stop, last - first))
            skip, stop = skip - (last - first), stop - (last - first)

    def _taken(self, step: int) -> int:
        """Return how many rows have been read before a step."""
        return self.total * step // self.steps

    def _lane(self, lane: int, taken: int) -> int:
        """Return how many of so many rows are of a lane: they are dealt in turn."""
        return (taken + self.lanes - 1 - lane) // self.lanes

    def _lane_start(self, lane: int) -> int:
        more = min(lane, self.total % self.lanes)
        return lane * (self.total // self.lanes) + more

    def _on_line(self, lane: int, begin: int, end: int) -> Iterator[Piece]:
        groups, starts = self._line
        at = int(np.searchsorted(starts, begin, side="right")) - 1
        while begin < end:
            stop = min(end, int(starts[at + 1]))
            offset = int(starts[at])
            if begin < stop:
                group = int(groups[at])
                yield Piece(lane=lane, group=group, start=begin - offset, stop=stop - offset, place=begin)
            begin, at = stop, at + 1

    @cached_property
    def _line(self) -> tuple[Integers, Integers]:
        """Return the groups in their order and where each starts on the line, its end last."""
        groups = np.random.default_rng([self.seed, self.epoch, 0]).permutation(len(self.rows))
        return groups, np.concatenate([[0], np.cumsum(np.asarray(self.rows, np.int64)[groups])])


def plan_epoch(rows: Sequence[int], *, lanes: int, batch_size: int, seed: int, epoch: int) -> EpochPlan:
    """Plan one epoch over row groups with these row counts."""
    return EpochPlan(rows=tuple(rows), lanes=lanes, batch_size=batch_size, seed=seed, epoch=epoch)
