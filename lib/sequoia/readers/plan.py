"""Who reads which training rows when: a pure function of numbers, without any I/O.

An epoch has a fixed number of *lanes*. Files are shuffled per epoch and dealt to lanes; a lane is the rows of
its files one after the other, each file's rows shuffled. A global batch is the next `batch_size / lanes` rows
of every lane, and a rank serves every size-th lane. So a batch holds the same rows whatever the number of
ranks, every row is read exactly once per epoch, all ranks take the same number of steps (the last ones may be
smaller or empty), and any step can be found again without reading what comes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sequoia.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows start:stop of a file, counted in its shuffled order."""

    file: int
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class EpochPlan:
    """One epoch: `lanes` holds file numbers in reading order, `rows` the row count of every file."""

    lanes: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    lane_batch: int
    seed: int
    epoch: int

    @property
    def steps(self) -> int:
        """Return the number of steps, the same for every rank."""
        longest = max(sum(self.rows[file] for file in lane) for lane in self.lanes)
        return -(-longest // self.lane_batch)

    def lanes_of(self, rank: int, size: int) -> range:
        """Return the lanes a rank of `size` serves."""
        return range(rank, len(self.lanes), size)

    def pieces(self, lane: int, step: int) -> list[Piece]:
        """Return what a lane contributes to a step: up to lane_batch rows, nothing after its end."""
        begin, end = step * self.lane_batch, (step + 1) * self.lane_batch
        found, offset = [], 0
        for file in self.lanes[lane]:
            start, stop = max(begin - offset, 0), min(end - offset, self.rows[file])
            if start < stop:
                found.append(Piece(file=file, start=start, stop=stop))
            offset += self.rows[file]
        return found

    def order(self, file: int) -> NDArray[np.int64]:
        """Return the shuffled order of a file's rows in this epoch: (rows,) int64."""
        return np.random.default_rng([self.seed, self.epoch, 1, file]).permutation(self.rows[file])


def plan_epoch(rows: Sequence[int], *, lanes: int, batch_size: int, seed: int, epoch: int) -> EpochPlan:
    """Plan one epoch over files with these row counts.

    Raises UserError when the batch does not divide into lanes or there are fewer files than lanes.
    """
    if batch_size % lanes:
        raise UserError(
            f"batch_size {batch_size} must be a multiple of lanes {lanes}: change training.batch_size"
        )
    if len(rows) < lanes:
        raise UserError(
            f"{lanes} lanes need at least {lanes} training files, there are {len(rows)}: raise "
            "sequences.shards or lower training.lanes"
        )
    dealt: list[list[int]] = [[] for _ in range(lanes)]
    filled = [0] * lanes
    shuffled = np.random.default_rng([seed, epoch, 0]).permutation(len(rows))
    # The longest first, each to the emptiest lane, keeps lanes even; a stable sort keeps the shuffle.
    for file in sorted(shuffled.tolist(), key=lambda number: -rows[number]):
        lane = min(range(lanes), key=lambda number: (filled[number], number))
        dealt[lane].append(file)
        filled[lane] += rows[file]
    return EpochPlan(
        lanes=tuple(tuple(lane) for lane in dealt),
        rows=tuple(int(count) for count in rows),
        lane_batch=batch_size // lanes,
        seed=seed,
        epoch=epoch,
    )
