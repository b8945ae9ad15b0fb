"""The held-out convention everybody shares: which event is the target, and which events are its history."""

from __future__ import annotations

from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Split = Literal["valid", "test"]
Protocol = Literal["leave-one-out", "time"]


def training_length(protocol: Protocol) -> Column:
    """Return the number of a user's first events that train."""
    return F.col("loo_train" if protocol == "leave-one-out" else "time_train")


def history_length(split: Split, protocol: Protocol) -> Column:
    """Return the number of events before the target (the target's position from 0), or null without a target.

    Leave-one-out: validation after the first loo_train events, test after one more. Time: validation is the
    first event between the cuts, test the first event after the second one. A target needs at least one event
    before it.
    """
    begin, end = {
        ("valid", "leave-one-out"): (F.col("loo_train"), F.col("length")),
        ("test", "leave-one-out"): (F.col("loo_train") + 1, F.col("length")),
        ("valid", "time"): (F.col("time_train"), F.col("time_valid")),
        ("test", "time"): (F.col("time_valid"), F.col("length")),
    }[split, protocol]
    return F.when((begin >= 1) & (begin < end), begin)


def held_out(sequences: DataFrame, split: Split, protocol: Protocol) -> DataFrame:
    """Return (user_id BIGINT, history ARRAY<BIGINT>, target BIGINT), item ids of item_index, oldest first.

    Users without a target, or without an event before it, are absent.
    """
    return (
        sequences.withColumn("position", history_length(split, protocol))
        .where(F.col("position").isNotNull())
        .select(
            "user_id",
            F.slice("items", 1, F.col("position")).alias("history"),
            F.element_at("items", F.col("position") + 1).alias("target"),
        )
    )
