"""Event logs as CSV with a header line that names the configured columns; other columns are passed over."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.formats.csv_lines import decimal, numbers, read_block, read_line
from sequoia.ingest.formats.parse import BadLineError, Grammar, Lines, flags, set_apart
from sequoia.ingest.formats.usable_events import EVENT, LARGEST, SCALE, beyond, event_check, limits
from sequoia.ingest.settings import IngestSettings, Unit, milliseconds

# What Arrow takes for a time for certain; the slow way decides about all else.
ISO = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,3})?)?)?$")


def event_csv(settings: IngestSettings, header: list[str]) -> Grammar:
    """Return the grammar of the lines below such a header; time may be a number, or ISO 8601 text."""
    names = settings.columns
    wanted = [name for name in (names.user, names.item, names.time, names.rating) if name]
    types = pa.schema([(name, pa.string()) for name in dict.fromkeys(wanted)])

    def fast(data: bytes, lines: int) -> tuple[pa.Table, Lines | None]:
        table, odd = read_block(data, lines, types, header)
        nothing = pa.nulls(len(table), pa.string())
        rating = table.column(names.rating) if names.rating else nothing
        columns = {
            "user": table.column(names.user) if names.user else nothing,
            "item": table.column(names.item),
            "time": table.column(names.time),
            "rating": pc.if_else(pc.equal(rating, ""), None, rating),
        }
        table, odd = numbers(pa.table(columns), odd, {"rating": pa.float64()})
        table, odd = _with_times(table, odd, names.time_unit)
        rest = pa.nulls(len(table), pa.bool_()), pa.nulls(len(table), pa.int64())
        return pa.table([*table.columns, *rest], schema=EVENT), odd

    def slow(line: str) -> list[tuple[Any, ...]]:
        fields = read_line(line)
        if len(fields) != len(header):
            raise BadLineError(f"{len(fields)} columns, not {len(header)}")
        values = dict(zip(header, fields, strict=True))
        user = values[names.user] if names.user else None
        rating = decimal(values[names.rating], "rating") if names.rating else None
        return [
            (user, values[names.item], read_time(values[names.time], names.time_unit), rating, None, None)
        ]

    bounds = limits(settings, needs_user=names.user is not None, needs_rating=False)
    return Grammar(columns=EVENT, fast=fast, slow=slow, check=event_check(bounds))


def _with_times(table: pa.Table, odd: Lines | None, unit: Unit) -> tuple[pa.Table, Lines | None]:
    """Turn the column of times into milliseconds; lines whose time needs a closer look are set apart."""
    first = table.column("time").slice(0, 1).to_pylist()
    if first and ISO.match(first[0]):
        fits = flags(pc.match_substring_regex(table.column("time"), ISO.pattern), null=False)
        table, odd = set_apart(table, odd, ~fits)
        moment = table.column("time").cast(pa.timestamp("ms")).cast(pa.int64())
    else:
        table, odd = numbers(table, odd, {"time": pa.int64()})
        table, odd = set_apart(table, odd, beyond(table.column("time"), LARGEST[unit]))
        moment = pc.multiply(table.column("time"), SCALE[unit])
    return table.set_column(2, "time", moment), odd


def read_time(text: str, unit: Unit) -> int | None:
    """Return the milliseconds of a number in a unit or of ISO 8601 text; BadLineError for anything else."""
    if not text.strip():
        return None
    try:
        number = int(text) if text.strip().lstrip("-").isdigit() else float(text)
    except ValueError:
        return _iso(text)
    if number != number or abs(number) > LARGEST[unit]:
        raise BadLineError("time is out of range")
    return int(number * SCALE[unit] // 1)


def _iso(text: str) -> int:
    try:
        return milliseconds(text.strip())
    except ValueError:
        raise BadLineError("time is neither a number nor ISO 8601") from None
