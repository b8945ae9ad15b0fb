"""The rows of one rank, step by step: its lanes read side by side, on and on through the epochs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.readers.plan import EpochPlan, Integers, Piece
from sequoia.readers.row_groups import Reader, RowGroup

Columns = dict[str, NDArray[Any]]
Walk = Iterator[tuple[EpochPlan, int, list[Piece]]]


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a training is: the next step to take."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a rank of `size` reads: from a position to the end of the last epoch."""

    plan_of: Callable[[int], EpochPlan]
    rank: int
    size: int
    start: Position
    epochs: int

    def walk(self) -> Walk:
        """Yield the plan, the step and the pieces of every step."""
        for epoch in range(self.start.epoch, self.epochs):
            plan = self.plan_of(epoch)
            for step in range(self.start.step if epoch == self.start.epoch else 0, plan.steps):
                yield plan, step, list(plan.pieces(step, self.rank, self.size))


@dataclass(frozen=True, kw_only=True)
class StepRows:
    """A rank's rows of a step: columns (B, events of a row), and of each row its place in the line (B,)."""

    epoch: int
    step: int
    steps: int
    places: Integers
    columns: Columns


def rank_rows(
    share: Share, groups: Sequence[RowGroup], columns: Sequence[str], read: Reader
) -> Generator[StepRows, None, None]:
    """Yield a rank's part of every step; every rank yields the same steps.

    The columns are lists of one length in all rows; what is not 0 in the first one is an event.
    """
    wanted = _first_uses(share.walk())
    with closing(read(groups, wanted, columns)) as tables:
        lanes: dict[int, _Lane] = {}
        for plan, step, pieces in share.walk():
            parts = []
            for piece in pieces:
                if piece.lane not in lanes or not lanes[piece.lane].holds(plan, piece):
                    lanes[piece.lane] = _Lane(plan, piece, next(tables), columns)
                parts.append(lanes[piece.lane].rows(piece))
            yield StepRows(
                epoch=plan.epoch, step=step, steps=plan.steps, places=_places(pieces), columns=_joined(parts)
            )


def _first_uses(walk: Walk) -> Iterator[int]:
    """Yield the row groups that lanes turn to, in the order of their use."""
    held: dict[int, tuple[int, int]] = {}
    for plan, _, pieces in walk:
        for piece in pieces:
            if held.get(piece.lane) != (plan.epoch, piece.group):
                held[piece.lane] = (plan.epoch, piece.group)
                yield piece.group


class _Lane:
    """The row group that a lane is at."""

    def __init__(self, plan: EpochPlan, piece: Piece, table: pa.Table, columns: Sequence[str]) -> None:
        self._of = plan.epoch, piece.group
        self._columns = {name: matrix(table.column(name)) for name in columns}
        events = (self._columns[columns[0]] != 0).sum(axis=1, dtype=np.int32)
        self._order = plan.order(piece.group, events)

    def holds(self, plan: EpochPlan, piece: Piece) -> bool:
        return self._of == (plan.epoch, piece.group)

    def rows(self, piece: Piece) -> Columns:
        rows = self._order[piece.start : piece.stop]
        return {name: values[rows] for name, values in self._columns.items()}


def matrix(lists: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column of lists of one length as (rows, length), its own memory where it is one chunk."""
    found = []
    for chunk in lists.chunks:
        lengths = np.diff(chunk.offsets.to_numpy())
        assert len(lengths) == 0 or (lengths == lengths[0]).all(), "training rows differ in length"
        found.append(chunk.flatten().to_numpy(zero_copy_only=True).reshape(len(chunk), -1))
    return found[0] if len(found) == 1 else np.concatenate(found)


def _places(pieces: Sequence[Piece]) -> Integers:
    spans = [np.arange(piece.place, piece.place + piece.stop - piece.start) for piece in pieces]
    return np.concatenate([*spans, np.zeros(0, np.int64)])


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
