"""Event logs as CSV with a header line that names the configured columns; other columns are passed over."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.checks import EVENT, LARGEST_TIME, event_check, limits
from sequoia.ingest.csv_lines import decimal, read_block, read_line
from sequoia.ingest.parse import BadLineError, Grammar, NotFastError
from sequoia.ingest.settings import IngestSettings, Unit, milliseconds

SCALE = {"seconds": 1000, "milliseconds": 1}


def event_csv(settings: IngestSettings, header: list[str]) -> Grammar:
    """Return the grammar of the lines below such a header; time may be a number, or ISO 8601 text."""
    names = settings.columns
    wanted = [name for name in (names.user, names.item, names.time, names.rating) if name]
    types = pa.schema([(name, pa.string()) for name in dict.fromkeys(wanted)])

    def fast(data: bytes, lines: int) -> pa.Table:
        table = read_block(data, lines, types, header)
        nothing = pa.nulls(lines, pa.string())
        user = table.column(names.user) if names.user else nothing
        rating = table.column(names.rating) if names.rating else nothing
        moment = _times(table.column(names.time), names.time_unit)
        rest = [pa.nulls(lines, pa.bool_()), pa.nulls(lines, pa.int64())]
        columns = [user, table.column(names.item), moment, _numbers(rating), *rest]
        return pa.table(columns, schema=EVENT)

    def slow(line: str) -> list[tuple[Any, ...]]:
        fields = read_line(line)
        if len(fields) != len(header):
            raise BadLineError(f"{len(fields)} columns, not {len(header)}")
        values = dict(zip(header, fields, strict=True))
        user = values[names.user] if names.user else None
        rating = decimal(values[names.rating], "rating") if names.rating else None
        return [(user, values[names.item], _time(values[names.time], names.time_unit), rating, None, None)]

    bounds = limits(settings, needs_user=names.user is not None, needs_rating=False)
    return Grammar(columns=EVENT, fast=fast, slow=slow, check=event_check(bounds))


def _numbers(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())


def _times(column: pa.ChunkedArray, unit: Unit) -> pa.ChunkedArray:
    try:
        number = column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.timestamp("ms")).cast(pa.int64())
    span = pc.min_max(number).as_py()
    if max(-span["min"], span["max"]) > LARGEST_TIME // SCALE[unit]:
        raise NotFastError("times need a closer look")
    return pc.multiply(number, SCALE[unit])


def _time(text: str, unit: Unit) -> int | None:
    if not text.strip():
        return None
    try:
        number = int(text) if text.strip().lstrip("-").isdigit() else float(text)
    except ValueError:
        return _iso(text)
    if number != number or abs(number) > LARGEST_TIME // SCALE[unit]:
        raise BadLineError("time is out of range")
    return int(number * SCALE[unit] // 1)


def _iso(text: str) -> int:
    try:
        return milliseconds(text.strip())
    except ValueError:
        raise BadLineError("time is neither a number nor ISO 8601") from None
