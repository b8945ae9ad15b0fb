"""Whole users out of a sorted stream of Arrow batches, however the batches cut them.

After `repartition(user_id).sortWithinPartitions(user_id, ...)` Spark hands a partition over in batches of
some thousand rows. Memory is bounded by one batch and the history of the busiest user, not by the partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def whole_users(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield tables that hold every row of the users in them, from batches sorted by user_id."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        users = batch["user_id"].to_numpy()
        if not len(users):
            continue
        last = int(np.searchsorted(users, users[-1]))
        if last or (waiting and waiting[-1]["user_id"][-1].as_py() != users[-1]):
            yield pa.Table.from_batches([*waiting, batch.slice(0, last)])
            waiting = []
        waiting.append(batch.slice(last))
    if waiting:
        yield pa.Table.from_batches(waiting)


def run_starts(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the positions where a run of equal values begins, and the length of the array at the end."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.concatenate([[0], changes, [len(values)]]).astype(np.int64)


def list_column(values: pa.ChunkedArray, offsets: npt.NDArray[np.int64]) -> pa.ListArray:
    """Cut a flat column into lists at the offsets (first 0, last its length), without copying the values."""
    flat = values.combine_chunks()
    whole = flat if isinstance(flat, pa.Array) else pa.concat_arrays(flat.chunks)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), whole)
