"""Dense ids by frequency that outlive new data: a key keeps its id, new keys get the next free ones."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.index.dense_number import dense_number

# 0 is padding and 1 the unknown key.
FIRST_ID = 2


def count_events(rows: DataFrame, key: str) -> DataFrame:
    """Count the rows of every key that is not null: (key STRING, events BIGINT)."""
    return rows.where(F.col(key).isNotNull()).groupBy(key).agg(F.count("*").alias("events"))


def number_keys(counts: DataFrame, key: str, existing: DataFrame | None) -> DataFrame:
    """Give every key an id and a rank: (key, id, rank, events), all numbers BIGINT.

    `counts` has one row per key with its events, `existing` the index so far or None. Ranks go by events
    descending, then by key; the first ids follow the ranks. A key of `existing` keeps its id, even when the
    data no longer have it (events 0); new keys continue after the greatest id, in the order of their ranks.
    """
    by_rank = [F.desc("events"), F.asc(key)]
    if existing is None:
        ranked = dense_number(counts, by_rank, name="rank", first=1)
        return ranked.withColumn("id", F.col("rank") + (FIRST_ID - 1))
    merged = counts.join(existing.select(key, "id"), on=key, how="full_outer").na.fill(0, subset=["events"])
    ranked = dense_number(merged, by_rank, name="rank", first=1)
    known = ranked.where(F.col("id").isNotNull())
    greatest = existing.agg(F.max("id").alias("id")).first()
    next_id = FIRST_ID if greatest is None or greatest["id"] is None else greatest["id"] + 1
    fresh = ranked.where(F.col("id").isNull()).drop("id")
    added = dense_number(fresh, [F.asc("rank")], name="id", first=next_id)
    return known.unionByName(added)
