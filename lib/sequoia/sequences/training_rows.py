"""Training events in the fixed shape that Petastorm stacks: the last max_length + 1, padded on the left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.arrays import load, save
from sequoia.buckets.order import Integers
from sequoia.buckets.shuffle import Report
from sequoia.sequences.encode import Events
from sequoia.sequences.histories import keep, lists_of
from sequoia.splitmix64 import GAMMA, Unsigned, mix
from sequoia.tables.parts import Target, write_groups

# An input and a target.
MIN_EVENTS = 2
GROUP = 20_000  # rows that are padded at once, and of a row group
LISTS = {"items": pa.int32(), "times": pa.int64(), "ratings": pa.float32()}


def places(users: Integers, seed: int) -> Unsigned:
    """Return a hash of each user and the seed: it orders a shard and, modulo their number, is the shard."""
    start = mix(np.array([seed], dtype=np.uint64) + GAMMA)
    return mix((users.astype(np.uint64) ^ start) + GAMMA)


def leave_trained(
    events: Events,
    trained: Integers,
    rows: npt.NDArray[np.int32],
    *,
    window: int,
    shards: int,
    seed: int,
    folder: str,
    name: str,
) -> Report:
    """Leave the last `window` of the first trained[i] events of every user i who has two of them, by shard.

    rows: the vocabulary row of each item number. Reports where in the file each shard begins and ends.
    """
    lengths = np.diff(events.bounds)
    ends = np.repeat(np.where(trained >= MIN_EVENTS, trained, 0), lengths)
    place = np.arange(len(events.items)) - np.repeat(events.bounds[:-1], lengths)
    chosen = keep(events, (place < ends) & (place >= ends - window))
    lists: dict[str, npt.NDArray[np.generic]] = {
        "items": rows[chosen.items],
        "times": chosen.times,
        "ratings": chosen.ratings,
    }
    table = {column: lists_of(values, chosen.bounds) for column, values in lists.items()}
    shard = (places(chosen.users, seed) % np.uint64(shards)).astype(np.int64)
    by_shard = pa.table({"user_id": chosen.users, **table}).take(pa.array(np.argsort(shard, kind="stable")))
    bounds = np.cumsum(np.bincount(shard + 1, minlength=shards + 1))
    return {"path": save(by_shard, folder, f"trained-{name}"), "bounds": bounds.tolist()}


def write_shard(
    trained: Sequence[Report], shard: int, *, window: int, seed: int, target: Target
) -> Report | None:
    """Write the file of a shard, its users' rows in the order of their hashes; None when it has no users.

    trained: of each piece what `leave_trained` reports.
    """
    bounds = [piece["bounds"][shard : shard + 2] for piece in trained]
    rows = pa.concat_tables(
        load(piece["path"]).slice(begin, end - begin)
        for piece, (begin, end) in zip(trained, bounds, strict=True)
    ).combine_chunks()  # once: of several chunks every take would make one anew
    users = rows.column("user_id").to_numpy()
    if not len(rows):
        return None
    order = np.lexsort((users, places(users, seed)))
    return write_groups(
        _padded(rows, order, window), target, partition={"shard": str(shard)}, name=f"shard-{shard:05d}"
    ).to_json()


def _padded(rows: pa.Table, order: Integers, window: int) -> Iterator[pa.Table]:
    for start in range(0, max(1, len(order)), GROUP):
        part = rows.take(pa.array(order[start : start + GROUP])).combine_chunks()
        lengths = np.diff(_offsets(part.column("items")))
        padded = {name: pad_left(part.column(name), kind, window) for name, kind in LISTS.items()}
        yield pa.table({"user_id": part.column("user_id"), **padded, "length": pa.array(lengths, pa.int32())})


def pad_left(lists: pa.ChunkedArray, kind: pa.DataType, window: int) -> pa.ListArray:
    """Put zeros before lists of at most `window` values, so that all have so many."""
    lengths = np.diff(_offsets(lists))
    slots = np.arange(window) >= window - lengths[:, None]
    values = lists.combine_chunks().flatten().to_numpy() if len(lists) else np.zeros(0)
    matrix = np.zeros(slots.shape, dtype=kind.to_pandas_dtype())
    matrix[slots] = values
    return lists_of(matrix.reshape(-1), np.arange(len(lengths) + 1) * window)


def _offsets(lists: pa.ChunkedArray) -> Integers:
    whole = lists.combine_chunks()
    array = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) and whole.num_chunks else whole
    offsets: Integers = array.offsets.to_numpy().astype(np.int64) if len(lists) else np.zeros(1, np.int64)
    return offsets
