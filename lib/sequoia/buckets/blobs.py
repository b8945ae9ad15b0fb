"""Rows on their way to a bucket: split by hash, each part an Arrow stream that nobody looks into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from sequoia.buckets.strings import Places, take_strings
from sequoia.splitmix64 import Unsigned

HALF = np.uint64(32)


def bucket_of(hashes: Unsigned, buckets: int) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Return the bucket of each hash: ranges of equal width, so that buckets are in the order of hashes."""
    return (((hashes >> HALF) * np.uint64(buckets)) >> HALF).astype(np.uint16)


def first_hash(bucket: int, buckets: int) -> int:
    """Return the least hash of a bucket; of the one after the last, 2^64."""
    return -(-(bucket << 32) // buckets) << 32


def split(rows: pa.Table, hashes: Unsigned, buckets: int) -> Iterator[tuple[int, pa.Buffer]]:
    """Yield (bucket, blob) for every bucket that has rows, in order; rows of a blob keep their order."""
    found = bucket_of(hashes, buckets)
    # numpy sorts numbers of so few bits by counting.
    order = np.argsort(found if buckets > 256 else found.astype(np.uint8), kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(found, minlength=buckets))])
    batch = take(rows, order)
    for bucket in np.flatnonzero(np.diff(bounds)).tolist():
        yield bucket, pack(batch.slice(int(bounds[bucket]), int(bounds[bucket + 1] - bounds[bucket])))


def pack(batch: pa.RecordBatch) -> pa.Buffer:
    """Return a batch as one Arrow stream."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


def unpack(blobs: Iterable[pa.Buffer]) -> Iterator[pa.Table]:
    """Return the rows of blobs, without copying them."""
    for blob in blobs:
        yield ipc.open_stream(blob).read_all()


def take(rows: pa.Table, places: Places) -> pa.RecordBatch:
    """Return the rows at these places as one batch."""
    columns = [_take(one_chunk(column), places) for column in rows.columns]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece; copies only where there are several."""
    if column.num_chunks == 1:
        return column.chunk(0)
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _take(column: pa.Array, places: Places) -> pa.Array:
    if column.null_count == len(column):
        return pa.nulls(len(places), column.type)
    if column.null_count or pa.types.is_boolean(column.type) or pa.types.is_nested(column.type):
        return column.take(pa.array(places))
    if pa.types.is_string(column.type):
        return take_strings(column, places)
    return pa.array(column.to_numpy()[places], column.type)
