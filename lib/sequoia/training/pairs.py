"""Ordered item pairs of training sequences, counted: the counting model's statistics.

Pairs are counted within each batch of rows, brought together by their hash, and summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sequoia.buckets.blobs import split
from sequoia.buckets.bounded import bounded
from sequoia.buckets.shuffle import Report, shuffle
from sequoia.buckets.sizes import bucket_count, bucket_range
from sequoia.road.stage import Context
from sequoia.splitmix64 import Unsigned, mix
from sequoia.storage import locate, open_bytes
from sequoia.tables.parts import Part, Target, write_part

TABLE = "cooccurrences"
BATCH = 50_000  # rows of which pairs are counted before they are sent
EVENTS = 8  # of a user on average: sizes the buckets, no more


def write_pairs(context: Context, window: int, rows: int) -> None:
    """Write (item, next_item, distance, pairs) over all training rows for distances 1..window.

    rows: how many training rows there are.
    """
    tables, spark = context.tables, context.spark
    files = tables.files("training")
    version, target = tables.begin(TABLE), tables.target(TABLE)
    buckets = bucket_count(rows * EVENTS * window, spark.sparkContext.defaultParallelism)
    send = partial(_send, window=window, buckets=buckets)
    receive = partial(_receive, target=target, buckets=buckets)
    reports = shuffle(spark, files, send, receive, buckets)
    tables.publish(TABLE, [Part(**report) for report in reports], on=version)


def _send(part: Part, *, window: int, buckets: int) -> Iterator[tuple[int, pa.Buffer]]:
    with open_bytes(locate(part.path)) as file:
        opened = pq.ParquetFile(file)
        for batch in opened.iter_batches(batch_size=BATCH, columns=["items"], use_threads=False):
            items = batch.column("items")
            counted = count_pairs(items.flatten().to_numpy().reshape(len(items), -1), window)
            yield from split(counted, _hashes(counted), buckets)


def _receive(bucket: int, received: Iterable[pa.Table], *, target: Target, buckets: int) -> Iterator[Report]:
    for span, rows in bounded(received, bucket_range(bucket, buckets), _hashes):
        yield write_part(_summed(rows), target, name=span.name).to_json()


def count_pairs(items_BL: NDArray[np.int32], window: int) -> pa.Table:
    """Count the pairs of rows that are padded with 0 on the left."""
    found = []
    for distance in range(1, min(window, items_BL.shape[1] - 1) + 1):
        earlier, later = items_BL[:, :-distance].ravel(), items_BL[:, distance:].ravel()
        real = earlier > 0
        key, pairs = np.unique(earlier[real].astype(np.int64) << 32 | later[real], return_counts=True)
        found.append(_table(key, np.full(len(key), distance, np.int32), pairs))
    return pa.concat_tables(found)


def _summed(rows: pa.Table) -> pa.Table:
    """Add up the counts of equal pairs."""
    key, distance = _keys(rows), rows.column("distance").to_numpy()
    order = np.lexsort((distance, key))
    key, distance = key[order], distance[order]
    first = np.flatnonzero((np.diff(key, prepend=-1) != 0) | (np.diff(distance, prepend=-1) != 0))
    pairs = np.add.reduceat(rows.column("pairs").to_numpy()[order], first)
    return _table(key[first], distance[first], pairs)


def _table(key: NDArray[np.int64], distance: NDArray[np.int32], pairs: NDArray[np.int64]) -> pa.Table:
    item, following = (key >> 32).astype(np.int32), (key & 0xFFFFFFFF).astype(np.int32)
    return pa.table({"item": item, "next_item": following, "distance": distance, "pairs": pairs})


def _keys(rows: pa.Table) -> NDArray[np.int64]:
    item, following = (rows.column(name).to_numpy().astype(np.int64) for name in ("item", "next_item"))
    keys: NDArray[np.int64] = item << 32 | following
    return keys


def _hashes(rows: pa.Table) -> Unsigned:
    return mix(_keys(rows).view(np.uint64))
