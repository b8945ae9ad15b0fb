"""The indexes of users and items, range of hashes by range of hashes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sequoia.buckets.arrays import load, save
from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.pieces import Range, may_hold, range_of
from sequoia.buckets.shuffle import Report
from sequoia.buckets.strings import Hashes, hash_strings
from sequoia.index.counted import NO_ID, by_events, count_keys, number_from
from sequoia.ingest.pieces import read_piece
from sequoia.tables.parts import Part, Target, read_columns, write_part

NOTHING = pa.table({"key": pa.array([], pa.string()), "id": pa.array([], pa.int64())})


@dataclass(frozen=True, kw_only=True)
class Span:
    """One task: a range of hashes, the interactions of its users, and all files of the index so far."""

    range: Range
    piece: Part
    known: tuple[Part, ...]
    folder: str


def count_span(span: Span) -> Report:
    """Count the users of a range, and the items that they have chosen; leave both for the tasks to come."""
    rows = read_piece(span.piece, ["user", "item"])
    items = one_chunk(rows.column("item"))
    hashes = hash_strings(items.dictionary)
    counted = {
        "key": items.dictionary,
        "first": hashes.first,
        "second": hashes.second,
        "events": np.bincount(items.indices.to_numpy(), minlength=len(items.dictionary)),
    }
    users = one_chunk(rows.column("user"))
    events = np.bincount(users.indices.drop_null().to_numpy(), minlength=len(users.dictionary))
    known = known_ids(span.known, "user", span.range)
    found = count_keys(users.dictionary, events, hash_strings(users.dictionary), known)
    name = span.range.name
    return {
        "users": save(found, span.folder, f"users-{name}"),
        "items": save(pa.table(counted), span.folder, f"items-{name}"),
        "distinct": len(items.dictionary),
        "rows": len(rows),
        "without_user": users.null_count,
        **_summary(found),
    }


def _summary(found: pa.Table) -> Report:
    ids, events = found.column("id").to_numpy(), found.column("events").to_numpy()
    return {
        "keys": len(ids),
        "new": int((ids == NO_ID).sum()),
        "greatest": int(ids.max(initial=NO_ID)),
        "active": int((events > 0).sum()),
    }


def write_users(path: str, first: int, span: Range, target: Target) -> Report:
    """Write the index of a range of users; those without an id get the next ones from the first on."""
    found = load(path)
    ids = number_from(first, found.column("id").to_numpy())
    columns = {"user": found.column("key"), "id": ids, "events": found.column("events")}
    return write_part(pa.table(columns), target, name=span.name).to_json()


def merge_items(counted: Sequence[str], span: Range, known: Sequence[Part], folder: str) -> Report:
    """Bring together what all ranges of users count for a range of items."""
    first, last = np.uint64(span.first), np.uint64(span.last)
    slices = []
    for path in counted:
        table = load(path)
        hashes = table.column("first").to_numpy()
        begin, end = np.searchsorted(hashes, first), np.searchsorted(hashes, last, side="right")
        slices.append(table.slice(begin, end - begin))
    found = pa.concat_tables(slices)
    hashes = Hashes(first=found.column("first").to_numpy(), second=found.column("second").to_numpy())
    before = known_ids(known, "item", span)
    merged = count_keys(one_chunk(found.column("key")), found.column("events").to_numpy(), hashes, before)
    return {"items": save(merged, folder, f"merged-{span.name}"), **_summary(merged)}


def order_items(merged: Sequence[str], first: int, folder: str) -> Report:
    """Number all items: ranks by events, and from the first free id on ids for those that have none."""
    tables = [load(path) for path in merged]
    events = np.concatenate([table.column("events").to_numpy() for table in tables])
    ids = np.concatenate([table.column("id").to_numpy() for table in tables])
    order = by_events(events)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    numbered = pa.table({"id": number_from(first, ids, order), "rank": ranks})
    bounds = np.cumsum([0, *map(len, tables)]).tolist()
    paths = [
        save(numbered.slice(begin, end - begin), folder, f"numbers-{place}")
        for place, (begin, end) in enumerate(itertools.pairwise(bounds))
    ]
    return {"numbers": paths}


def write_items(merged: str, numbers: str, span: Range, target: Target) -> Report:
    """Write the index of a range of items."""
    found, numbered = load(merged), load(numbers)
    columns = {
        "item": found.column("key"),
        "id": numbered.column("id"),
        "rank": numbered.column("rank"),
        "events": found.column("events"),
    }
    return write_part(pa.table(columns), target, name=span.name).to_json()


def known_ids(parts: Sequence[Part], key: str, span: Range) -> pa.Table:
    """Return (key, id) of an index's keys whose hashes lie in a range."""
    tables = [NOTHING]
    for part in (part for part in parts if may_hold(part, span)):
        of = range_of(part)
        rows = read_columns(part.path, [key, "id"])
        rows = rows.rename_columns(["key", "id"]).cast(NOTHING.schema)
        if of is None or of.first < span.first or of.last > span.last:
            hashes = hash_strings(one_chunk(rows.column("key"))).first
            inside = (hashes >= np.uint64(span.first)) & (hashes <= np.uint64(span.last))
            rows = rows.filter(pa.array(inside))
        tables.append(rows)
    return pa.concat_tables(tables)
