"""The held-out convention everybody shares: which event is the target, and which events are its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.blobs import one_chunk

# Columns of sequences that tell who is held out.
HELD_OUT = ["user_id", "items", "length", "loo_train", "time_train", "time_valid"]

Split = Literal["valid", "test"]
Protocol = Literal["leave-one-out", "time"]


def training_lengths(protocol: Protocol, positions: pa.Table) -> npt.NDArray[np.int64]:
    """Return of rows of sequences how many of a user's first events train."""
    name = "loo_train" if protocol == "leave-one-out" else "time_train"
    lengths: npt.NDArray[np.int64] = positions.column(name).to_numpy().astype(np.int64)
    return lengths


# Of each split and protocol: a target stands after so many events, when there are more than these.
TARGETS = {
    ("valid", "leave-one-out"): ("loo_train", 0, "length"),
    ("test", "leave-one-out"): ("loo_train", 1, "length"),
    ("valid", "time"): ("time_train", 0, "time_valid"),
    ("test", "time"): ("time_valid", 0, "length"),
}


def target_places(
    split: Split, protocol: Protocol, positions: pa.Table
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return, of rows of sequences, the row and the place (from 0) of every target of a split, in order.

    These are all events of the span that is held out, of which `history_lengths` tells the first. A user
    without events before the span has none.
    """
    begin = history_lengths(split, protocol, positions)
    end = positions.column(TARGETS[split, protocol][2]).to_numpy().astype(np.int64)
    if protocol == "leave-one-out":
        end = begin + 1
    counts = np.where(begin >= 0, end - begin, 0)
    first = np.cumsum(counts) - counts
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, begin[rows] + np.arange(counts.sum()) - first[rows]


def history_lengths(split: Split, protocol: Protocol, positions: pa.Table) -> npt.NDArray[np.int64]:
    """Return of rows of sequences how many events come before the target, -1 without a target.

    So many is the target's position, from 0. Leave-one-out: validation after the first loo_train events, test
    after one more. Time: validation is the first event between the cuts, test the first event after the
    second one. A target needs at least one event before it.
    """
    name, more, end = TARGETS[split, protocol]
    begin = positions.column(name).to_numpy().astype(np.int64) + more
    return np.where((begin >= 1) & (begin < positions.column(end).to_numpy()), begin, -1)


def held_out(sequences: pa.Table, split: Split, protocol: Protocol, columns: Sequence[str] = ()) -> pa.Table:
    """Return (user_id, history, target) of rows of sequences, item ids of item_index, oldest first.

    columns: further lists of `sequences`, cut as the history is. Users without a target, or without an event
    before it, are absent.
    """
    places = history_lengths(split, protocol, sequences)
    rows = sequences.filter(pa.array(places >= 0))
    places = places[places >= 0]
    items = one_chunk(rows.column("items"))
    values, starts = items.flatten().to_numpy(), items.offsets.to_numpy()[:-1].astype(np.int64)
    starts -= items.offsets[0].as_py() if len(items) else 0
    bounds = np.concatenate([[0], np.cumsum(places)])
    inside = np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], places)
    offsets = pa.array(bounds, pa.int32())
    lists = {"history": values, **{name: _flat(rows.column(name)) for name in columns}}
    cut = {name: pa.ListArray.from_arrays(offsets, pa.array(flat[inside])) for name, flat in lists.items()}
    return pa.table({"user_id": rows.column("user_id"), **cut, "target": values[starts + places]})


def _flat(lists: pa.ChunkedArray) -> npt.NDArray[np.generic]:
    values: npt.NDArray[np.generic] = one_chunk(lists).flatten().to_numpy(zero_copy_only=False)
    return values
