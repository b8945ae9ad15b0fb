"""Comma-separated lines in one stroke, and one line with quotes and all."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sequoia.ingest.formats.parse import (
    BadLineError,
    Lines,
    NotFastError,
    OddLinesError,
    flags,
    lines_of,
    set_apart,
)

# What Arrow takes for a number for certain; the slow way decides about all else.
WHOLE = r"^-?[0-9]{1,15}$"
DECIMAL = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"


def read_block(
    data: bytes, lines: int, schema: pa.Schema, names: list[str] | None = None
) -> tuple[pa.Table, Lines | None]:
    """Read a block into the schema's columns, and say which lines have another number of columns.

    names: the file's columns, if it has more. Raises OddLinesError for lines with quotes, ArrowInvalid where
    a number is none.
    """
    if b'"' in data:
        raise OddLinesError(lines_of(data, np.flatnonzero(np.frombuffer(data, np.uint8) == ord('"'))))
    odd: list[int] = []

    def passed_over(row: pa.csv.InvalidRow) -> str:
        odd.append(row.number - 1)
        return "skip"

    table = pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(
            column_names=names or schema.names, use_threads=False, block_size=len(data) + 1
        ),
        parse_options=pa.csv.ParseOptions(
            quote_char=False, ignore_empty_lines=False, invalid_row_handler=passed_over
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=schema,
            include_columns=schema.names,
            null_values=[],
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    if len(table) + len(odd) != lines:
        raise NotFastError("rows are not lines")
    if not odd:
        return table, None
    return table, np.isin(np.arange(lines), odd)


def numbers(
    table: pa.Table, odd: Lines | None, types: Mapping[str, pa.DataType]
) -> tuple[pa.Table, Lines | None]:
    """Turn columns of text into numbers, null for null; lines in which one is none are set apart."""
    for name, kind in types.items():
        try:
            cast = table.column(name).cast(kind)
        except pa.ArrowInvalid:
            pattern = WHOLE if pa.types.is_integer(kind) else DECIMAL
            fits = flags(pc.match_substring_regex(table.column(name), pattern), null=True)
            table, odd = set_apart(table, odd, ~fits)
            cast = table.column(name).cast(kind)
        table = table.set_column(table.schema.get_field_index(name), name, cast)
    return table, odd


def read_line(line: str) -> list[str]:
    """Read one line's fields; BadLineError when its quotes do not close."""
    try:
        return next(csv.reader([line], strict=True))
    except (csv.Error, StopIteration):
        raise BadLineError("not a CSV line") from None


def whole(text: str, name: str) -> int | None:
    """Return a whole number, None for nothing; BadLineError for anything else."""
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise BadLineError(f"{name} is not a whole number") from None


def decimal(text: str, name: str) -> float | None:
    """Return a number, None for nothing; BadLineError for anything else."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise BadLineError(f"{name} is not a number") from None
