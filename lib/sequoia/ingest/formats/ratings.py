"""Ratings without header: `item,user,rating,timestamp` (2018) or `user,item,rating,timestamp` (2014)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.formats.csv_lines import decimal, numbers, read_block, read_line, whole
from sequoia.ingest.formats.parse import BadLineError, Grammar, Lines, set_apart
from sequoia.ingest.formats.usable_events import EVENT, LARGEST, beyond, event_check, limits
from sequoia.ingest.settings import IngestSettings


def ratings(settings: IngestSettings, order: str) -> Grammar:
    """Return the grammar of rating lines whose first two columns stand in that order, such as 'item,user'."""
    names = [*order.split(","), "rating", "time"]
    text = pa.schema([(name, pa.string()) for name in names])
    numeric = {"rating": pa.float64(), "time": pa.int64()}
    typed = pa.schema([(name, numeric.get(name, pa.string())) for name in names])
    reading = typed

    def fast(data: bytes, lines: int) -> tuple[pa.Table, Lines | None]:
        nonlocal reading
        try:
            table, odd = read_block(data, lines, reading)
        except pa.ArrowInvalid:
            # Where one number is none, others of the file will be: as text they cost no second reading.
            reading = text
            table, odd = read_block(data, lines, reading)
        if reading is text:
            table, odd = numbers(table, odd, numeric)
        table, odd = set_apart(table, odd, beyond(table.column("time"), LARGEST["seconds"]))
        moment = pc.multiply(table.column("time"), 1000)
        nothing = pa.nulls(len(table), pa.bool_()), pa.nulls(len(table), pa.int64())
        columns = [table.column("user"), table.column("item"), moment, table.column("rating"), *nothing]
        return pa.table(columns, schema=EVENT), odd

    def slow(line: str) -> list[tuple[Any, ...]]:
        fields = read_line(line)
        if len(fields) != len(names):
            raise BadLineError(f"{len(fields)} columns, not {len(names)}")
        values = dict(zip(names, fields, strict=True))
        seconds = whole(values["time"], "timestamp")
        if seconds is not None and abs(seconds) > LARGEST["seconds"]:
            raise BadLineError("timestamp is out of range")
        moment = None if seconds is None else seconds * 1000
        return [(values["user"], values["item"], moment, decimal(values["rating"], "rating"), None, None)]

    return Grammar(columns=EVENT, fast=fast, slow=slow, check=event_check(limits(settings)))
