"""A fingerprint of rows: the same ones give the same, in whatever order or files.

A hash of every row, summed over all. Two different tables agree by chance once in 2^64.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.strings import hash_strings
from sequoia.splitmix64 import GAMMA, Unsigned, mix

Content = dict[str, Any]
NULL = np.uint64(0x6A09E667F3BCC909)  # what a missing value counts as: the fraction of a square root


def content_of(tables: Iterable[pa.Table]) -> Content:
    """Report columns, number and sum of the hashes of the rows of tables, for `content_fingerprint`.

    Columns are numbers, texts or lists of these. One table is held at a time.
    """
    return sum_contents(map(_content, tables))


def _content(table: pa.Table) -> Content:
    columns = [[field.name, str(field.type)] for field in table.schema]
    return {"columns": columns, "rows": len(table), "sum": int(row_hashes(table).sum(dtype=np.uint64))}


def sum_contents(reports: Iterable[Content]) -> Content:
    """Return the report of all rows from those of parts of them."""
    columns, rows, total = None, 0, 0
    for report in reports:
        columns = report["columns"] or columns
        rows += report["rows"]
        total += report["sum"]
    return {"columns": columns if rows else None, "rows": rows, "sum": total % 2**64}


def content_fingerprint(reports: Iterable[Content]) -> str:
    """Return 16 hexadecimal digits of what `content_of` reports of parts of the rows."""
    whole = sum_contents(reports)
    told = json.dumps([whole["columns"], whole["rows"], whole["sum"]])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def row_hashes(rows: pa.Table) -> Unsigned:
    """Return a 64-bit hash of each row; the order of the columns counts."""
    hashes = np.full(len(rows), GAMMA)
    for column in rows.columns:
        hashes = mix((hashes ^ _hashes(one_chunk(column))) + GAMMA)
    return hashes


def _hashes(values: pa.Array) -> Unsigned:
    if pa.types.is_string(values.type):
        found = hash_strings(values).first
    elif pa.types.is_list(values.type):
        found = _of_lists(values)
    else:
        found = mix(_bits(values))
    return np.where(values.is_null(), NULL, found) if values.null_count else found


def _bits(values: pa.Array) -> Unsigned:
    filled = pc.fill_null(values, 0) if values.null_count else values
    wide = pa.float64() if pa.types.is_floating(values.type) else pa.int64()
    bits: Unsigned = filled.cast(wide).to_numpy().view(np.uint64)
    return bits


def _of_lists(lists: pa.ListArray) -> Unsigned:
    """Return a hash of values, their places and their number; a null list is taken for an empty one."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    each = mix(_hashes(lists.flatten()) + places.astype(np.uint64) * GAMMA)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(each, dtype=np.uint64)])
    return mix((sums[ends] - sums[ends - lengths]) ^ lengths.astype(np.uint64))
