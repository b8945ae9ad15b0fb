"""Comma-separated lines in one stroke, and one line with quotes and all."""

from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.csv

from sequoia.ingest.parse import BadLineError, NotFastError


def read_block(data: bytes, lines: int, schema: pa.Schema, names: list[str] | None = None) -> pa.Table:
    """Read a block of lines without quotes into the schema's columns; `names` are the file's, if it has more.

    Raises NotFastError or ArrowInvalid for a quote, another number of columns, or no number in its place.
    """
    if b'"' in data:
        raise NotFastError("quotes")
    table = pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(
            column_names=names or schema.names, use_threads=False, block_size=len(data) + 1
        ),
        parse_options=pa.csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=schema,
            include_columns=schema.names,
            null_values=[],
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    if len(table) != lines:
        raise NotFastError("rows are not lines")
    return table


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
