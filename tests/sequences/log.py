"""Tables that ingest would have written, from a few tuples, and their contents read back for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import functions as F

from sequoia.index.stage import run as index
from sequoia.road.stage import Context

DAY = 86_400_000
FIRST_DAY = 15_000

Event = tuple[str | None, str, int, float | None]


def write_log(
    context: Context, events: Sequence[Event], *, items: Sequence[dict[str, Any]] = (), partitions: int = 1
) -> None:
    """Write interactions (user, item, day after FIRST_DAY, rating), items, and the four indexes."""
    tables, spark = context.tables, context.spark
    frame = spark.createDataFrame(list(events), "user STRING, item STRING, day BIGINT, rating FLOAT")
    full = frame.repartition(partitions).select(
        "user",
        "item",
        ((F.col("day") + FIRST_DAY) * DAY).alias("time"),
        "rating",
        F.lit(None).alias("verified"),
        F.lit(None).alias("votes"),
        F.lit("events.csv").alias("source"),
    )
    tables.overwrite("interactions", full)
    unknown = {
        "title": None,
        "brand": None,
        "price": None,
        "categories": [],
        "category": None,
        "price_bucket": 0,
    }
    rows = [unknown | item for item in items]
    tables.overwrite("items", spark.createDataFrame(rows, tables.schema("items")))
    index(context)


def contents(context: Context, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of tables, sorted, so that two runs can be compared."""
    return {
        table: sorted((tuple(row) for row in context.tables.read(table).collect()), key=repr)
        for table in tables
    }


def ids(context: Context, key: str) -> dict[str, int]:
    """Return the ids of the item or user index."""
    return {row[key]: row["id"] for row in context.tables.read(f"{key}_index").collect()}
