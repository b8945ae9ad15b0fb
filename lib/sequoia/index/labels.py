"""The indexes of categories and brands: of so few keys that one task has room for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.arrays import load, save
from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.pieces import Range
from sequoia.buckets.shuffle import Report
from sequoia.buckets.strings import hash_strings
from sequoia.index.counted import NO_ID, by_events, count_keys, number_from
from sequoia.index.users_and_items import known_ids
from sequoia.tables.parts import Part, Target, read_columns, write_part

EVERY = Range(first=0, last=2**64 - 1)
LABELS = ("category", "brand")


def count_labels(items: Sequence[Part], folder: str, name: str) -> Report:
    """Count the items of every category and brand in some files."""
    found = {}
    for label in LABELS:
        columns = []
        for part in items:
            columns += read_columns(part.path, [label]).column(label).chunks
        counts = pc.value_counts(pa.chunked_array(columns, pa.string()).drop_null())
        counted = pa.table({"key": counts.field("values"), "events": counts.field("counts")})
        found[label] = save(counted, folder, f"{label}-{name}")
    return found


def write_labels(counted: Sequence[str], label: str, known: Sequence[Part], target: Target) -> Report:
    """Write the index of categories or brands; ranks by events, then by name."""
    empty = pa.table({"key": pa.array([], pa.string()), "events": pa.array([], pa.int64())})
    found = pa.concat_tables([empty, *map(load, counted)])
    names = one_chunk(found.column("key"))
    before = known_ids(known, label, EVERY)
    merged = count_keys(names, found.column("events").to_numpy(), hash_strings(names), before)
    keys, events = one_chunk(merged.column("key")), merged.column("events").to_numpy()
    place = np.empty(len(keys), dtype=np.int64)
    place[pc.sort_indices(keys).to_numpy()] = np.arange(len(keys))
    order = by_events(events, [place])
    ids = merged.column("id").to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    numbered = number_from(max(1, int(ids.max(initial=NO_ID))) + 1, ids, order)
    rows = pa.table({label: keys, "id": numbered, "rank": ranks, "events": events})
    part = write_part(rows.take(pa.array(order)), target)
    return {"part": part.to_json(), "keys": len(keys), "new": int((ids == NO_ID).sum())}
