"""A fingerprint of what a table holds: the same rows give the same one, in whatever order, files or version.

A hash of every row, summed over all: one pass, one row back to the driver. Two different tables agree by
chance once in 2^64.
"""

from __future__ import annotations

import hashlib
import json

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StructField

LOW = 0xFFFFFFFF


def content_fingerprint(rows: DataFrame) -> str:
    """Return 16 hexadecimal digits over columns and rows; columns are numbers, texts or arrays of those."""
    # Halves of 32 bits: their sums stay within 64 bits for two thousand million rows, in ANSI mode, too.
    hashed = rows.select(row_hash(rows).alias("hash"))
    low, high = F.col("hash").bitwiseAND(F.lit(LOW)), F.shiftrightunsigned("hash", 32)
    sums = hashed.agg(F.count("*"), F.sum(low), F.sum(high)).first()
    assert sums is not None
    told = [[field.name, field.dataType.simpleString()] for field in rows.schema]
    return hashlib.sha256(json.dumps([told, *sums]).encode()).hexdigest()[:16]


def row_hash(rows: DataFrame) -> Column:
    """Return a 64-bit hash of a row."""
    return F.xxhash64(*(part for field in rows.schema for part in _parts(field)))


def _parts(field: StructField) -> list[Column]:
    """Return what tells two values apart: Spark's hash passes over nulls, and over where an array ends.

    A null inside an array counts by its being there, not by its place; the contracts' arrays hold none.
    """
    column = F.col(f"`{field.name}`")
    ends = [F.size(column)] if isinstance(field.dataType, ArrayType) else []
    nulls = [column.isNull()] if field.nullable else []
    return [*nulls, *ends, column]
