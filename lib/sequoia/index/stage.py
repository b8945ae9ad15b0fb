"""The index stage: dense ids for items, users, categories and brands.

Reads `interactions` and `items`, writes `item_index`, `user_index`, `category_index` and `brand_index`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.index.stable_ids import count_events, number_keys
from sequoia.road.stage import Context, StageResult
from sequoia.together import together


@dataclass(frozen=True, kw_only=True)
class IndexCounts:
    """What one index holds after the stage."""

    keys: int
    events: int
    new: int


def run(context: Context) -> StageResult:
    """Bring the four indexes up to the data; contents do not change when the data did not."""
    interactions = context.tables.read("interactions", written_by="ingest")
    if interactions.isEmpty():
        raise UserError("interactions holds 0 rows: let ingest read at least one event, then index again")
    items = read_items(context)
    sources = {"item": interactions, "user": interactions, "category": items, "brand": items}
    updates = [partial(update_index, context, source, key) for key, source in sources.items()]
    counts = dict(zip(sources, together(*updates, at_once=2), strict=True))
    context.say(f"{counts['user'].keys:,} users ({counts['user'].new:,} new), {counts['item'].keys:,} items")
    return StageResult(
        rows_in=counts["item"].events,
        rows_out=sum(count.keys for count in counts.values()),
        details={
            "users": counts["user"].keys,
            "items": counts["item"].keys,
            "categories": counts["category"].keys,
            "brands": counts["brand"].keys,
            "new": {key: count.new for key, count in counts.items()},
            "without_user": counts["item"].events - counts["user"].events,
        },
    )


def read_items(context: Context) -> DataFrame:
    """Read `items`, or no rows where no metadata was ever ingested."""
    if context.tables.exists("items"):
        return context.tables.read("items", written_by="ingest")
    return context.spark.createDataFrame([], context.tables.schema("items"))


def update_index(context: Context, rows: DataFrame, key: str) -> IndexCounts:
    """Write `<key>_index` for the keys of `rows`, keeping the ids it has."""
    table = f"{key}_index"
    existing = context.tables.read(table) if context.tables.exists(table) else None
    before = 0 if existing is None else existing.count()
    index = number_keys(count_events(rows, key), key, existing)
    total = index.agg(F.count("*").alias("keys"), F.sum("events").alias("events")).first()
    assert total is not None
    context.tables.overwrite(table, index)
    return IndexCounts(keys=total["keys"], events=total["events"] or 0, new=total["keys"] - before)
