"""The batches of one rank: its lanes read side by side, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sequoia.readers.lane import Columns, LaneReader
from sequoia.readers.plan import EpochPlan
from sequoia.tables.snapshot_file import DataFile


def rank_batches(
    plan: EpochPlan,
    files: Sequence[DataFile],
    columns: Sequence[str],
    *,
    rank: int,
    size: int,
    start_step: int = 0,
) -> Iterator[Columns | None]:
    """Yield a rank's part of every step from start_step on: columns of the same length, or None for no rows.

    Every rank of `size` yields the same number of times.
    """
    readers = [
        LaneReader(plan, lane, files, columns, start_step=start_step) for lane in plan.lanes_of(rank, size)
    ]
    for step in range(start_step, plan.steps):
        parts = [part for reader in readers for part in reader.take(step)]
        yield {name: np.concatenate([part[name] for part in parts]) for name in columns} if parts else None
