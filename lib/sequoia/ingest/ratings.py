"""Ratings without header: `item,user,rating,timestamp` (2018) or `user,item,rating,timestamp` (2014)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.checks import EVENT, LARGEST_TIME, event_check, limits
from sequoia.ingest.csv_lines import decimal, read_block, read_line, whole
from sequoia.ingest.parse import BadLineError, Grammar, NotFastError
from sequoia.ingest.settings import IngestSettings


def ratings(settings: IngestSettings, order: str) -> Grammar:
    """Return the grammar of rating lines whose first two columns stand in that order, such as 'item,user'."""
    names = [*order.split(","), "rating", "time"]
    types = {"user": pa.string(), "item": pa.string(), "rating": pa.float64(), "time": pa.int64()}

    def fast(data: bytes, lines: int) -> pa.Table:
        table = read_block(data, lines, pa.schema([(name, types[name]) for name in names]))
        span = pc.min_max(table.column("time")).as_py()
        if max(-span["min"], span["max"]) > LARGEST_TIME // 1000:
            raise NotFastError("times need a closer look")
        moment = pc.multiply(table.column("time"), 1000)
        nothing = pa.nulls(lines, pa.bool_()), pa.nulls(lines, pa.int64())
        columns = [table.column("user"), table.column("item"), moment, table.column("rating"), *nothing]
        return pa.table(columns, schema=EVENT)

    def slow(line: str) -> list[tuple[Any, ...]]:
        fields = read_line(line)
        if len(fields) != len(names):
            raise BadLineError(f"{len(fields)} columns, not {len(names)}")
        values = dict(zip(names, fields, strict=True))
        seconds = whole(values["time"], "timestamp")
        if seconds is not None and abs(seconds) > LARGEST_TIME // 1000:
            raise BadLineError("timestamp is out of range")
        moment = None if seconds is None else seconds * 1000
        return [(values["user"], values["item"], moment, decimal(values["rating"], "rating"), None, None)]

    return Grammar(columns=EVENT, fast=fast, slow=slow, check=event_check(limits(settings)))
