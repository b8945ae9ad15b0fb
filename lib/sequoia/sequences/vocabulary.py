"""The vocabulary: the core's items, numbered without gaps for embedding tables, with their features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.arrays import load, save
from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.find import MISSING, find
from sequoia.buckets.groups import group
from sequoia.buckets.pieces import overlapping
from sequoia.buckets.shuffle import Report
from sequoia.buckets.strings import Hashes, hash_strings
from sequoia.index.counted import FIRST_ID
from sequoia.sequences.core import load_flags
from sequoia.sequences.encode import numbered_items
from sequoia.tables.parts import Part, Target, read_columns, write_part

NO_ROW = 0
# Of the features of an item without metadata.
UNKNOWN_ID = 1
UNKNOWN_BUCKET = 0
UNKNOWN_PRICE = 0.0
NEVER = np.iinfo(np.int64).max
FEATURES = ["item", "category", "brand", "price", "price_bucket"]


def leave_rows(items: str, kept: str, folder: str) -> Report:
    """Give the core's items their rows, ascending with their ids; leave the row of every item number."""
    ids = numbered_items(items)[1]
    numbers = np.flatnonzero(load_flags(kept))
    rows = np.full(len(ids), NO_ROW, dtype=np.int32)
    rows[numbers[np.argsort(ids[numbers])]] = np.arange(FIRST_ID, FIRST_ID + len(numbers))
    return {"rows": save(pa.table({"row": rows}), folder, "vocabulary-rows"), "count": len(numbers)}


def rows_of_items(path: str) -> npt.NDArray[np.int32]:
    """Return what `leave_rows` left."""
    rows: npt.NDArray[np.int32] = load(path).column("row").to_numpy()
    return rows


def leave_events(counts: Sequence[str], rows: int, folder: str) -> Report:
    """Sum the training events of every row and find the first; counts: of each piece, of its rows."""
    total, first = np.zeros(rows, dtype=np.int64), np.full(rows, NEVER)
    for path in counts:
        table = load(path)
        row = table.column("row").to_numpy()
        total[row] += table.column("events").to_numpy()
        first[row] = np.minimum(first[row], table.column("first_time").to_numpy())
    first[first == NEVER] = 0
    return {"events": save(pa.table({"events": total, "first_time": first}), folder, "vocabulary-events")}


def write_vocabulary(
    index: Part,
    *,
    items: str,
    rows: str,
    events: str,
    products: Sequence[Part],
    labels: dict[str, list[Part]],
    target: Target,
) -> Report:
    """Write the vocabulary's items of one file of the item index.

    products: the files of items; labels: of each kind the files of its index.
    """
    known = read_columns(index.path, ["item", "id"])
    hashes = hash_strings(one_chunk(known.column("item")))
    row = rows_of_items(rows)[find(numbered_items(items)[0], hashes)]
    stays = np.flatnonzero(row != NO_ROW)
    names, hashes = one_chunk(known.column("item")).take(pa.array(stays)), hashes.take(stays)
    found = group(hashes)
    order = found.order
    features = _features(found.hashes, index, products, labels)
    trained = load(events).take(pa.array(row[stays][order]))
    table = {
        "row": row[stays][order],
        "item_id": known.column("id").take(pa.array(stays[order])),
        "item": names.take(pa.array(order)),
        "events": trained.column("events"),
        "first_time": trained.column("first_time"),
        **features,
    }
    return write_part(pa.table(table), target).to_json()


def _features(
    wanted: Hashes, index: Part, products: Sequence[Part], labels: dict[str, list[Part]]
) -> dict[str, npt.NDArray[np.generic]]:
    """Return category and brand of items, by the ids of their indexes, price and price bucket."""
    features: dict[str, npt.NDArray[np.generic]] = {
        "category": np.full(len(wanted), UNKNOWN_ID, dtype=np.int32),
        "brand": np.full(len(wanted), UNKNOWN_ID, dtype=np.int32),
        "price": np.full(len(wanted), UNKNOWN_PRICE, dtype=np.float32),
        "price_bucket": np.full(len(wanted), UNKNOWN_BUCKET, dtype=np.int32),
    }
    ids = {label: _label_ids(tuple(part.path for part in parts), label) for label, parts in labels.items()}
    for part in overlapping(index, products):
        rows = read_columns(part.path, FEATURES)
        places = find(wanted, hash_strings(one_chunk(rows.column("item"))))
        known = np.flatnonzero(places != MISSING)
        rows, places = rows.take(pa.array(known)), places[known]
        features["price"][places] = rows.column("price").fill_null(UNKNOWN_PRICE).to_numpy()
        features["price_bucket"][places] = rows.column("price_bucket").to_numpy()
        for label, (names, numbers) in ids.items():
            at = pc.fill_null(pc.index_in(rows.column(label), names), len(numbers)).to_numpy()
            features[label][places] = np.append(numbers, UNKNOWN_ID)[at]
    return features


@lru_cache(maxsize=2)
def _label_ids(paths: tuple[str, ...], label: str) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    tables = [pa.table({label: pa.array([], pa.string()), "id": pa.array([], pa.int64())})]
    for path in paths:
        tables.append(read_columns(path, [label, "id"]))
    whole = pa.concat_tables(tables)
    return one_chunk(whole.column(label)), whole.column("id").to_numpy().astype(np.int32)
