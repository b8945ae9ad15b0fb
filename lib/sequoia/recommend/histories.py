"""The histories to recommend from: all users of the interactions, in the order that training used."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sequoia.sequences.indexed_events import shuffled_tie
from sequoia.sequences.settings import SequencesSettings


def user_histories(
    interactions: DataFrame, settings: SequencesSettings, *, seed: int, partitions: int
) -> DataFrame:
    """Return (user, history ARRAY<STRING> of raw item ids, oldest first) for every user, k-core or not.

    Events of one moment follow sequences.ties; with sequences.repeats = first, later repeats are left out.
    """
    order = F.struct("time", _tie(settings, seed).alias("tie"), "item")
    events = interactions.where(F.col("user").isNotNull()).select("user", order.alias("event"))
    # An explicit number: adaptive execution would leave one task for small data, and one core idle.
    placed = events.repartition(partitions, "user")
    histories = placed.groupBy("user").agg(F.sort_array(F.collect_list("event")).alias("events"))
    items = F.col("events.item")
    return histories.select(
        "user", (F.array_distinct(items) if settings.repeats == "first" else items).alias("history")
    )


def _tie(settings: SequencesSettings, seed: int) -> Column:
    # By raw item id, ties are parted by the field that comes next.
    return shuffled_tie(seed) if settings.ties == "shuffled" else F.lit(0).cast("bigint")
