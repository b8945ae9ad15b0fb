"""The vocabulary: the core's items, numbered without gaps for embedding tables."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.index.dense_number import dense_number
from sequoia.index.stable_ids import FIRST_ID
from sequoia.sequences.held_out import Protocol, training_length


def vocabulary_rows(sequences: DataFrame, item_ids: DataFrame, protocol: Protocol) -> DataFrame:
    """Build the vocabulary table: each item of the sequences, with its training events (maybe 0)."""
    events = sequences.select(
        training_length(protocol).alias("trained"), F.posexplode("items").alias("place", "item_id")
    )
    trains = F.when(F.col("place") < F.col("trained"), 1)
    counts = events.groupBy("item_id").agg(F.count(trains).alias("events"))
    named = counts.join(item_ids, on="item_id", how="inner")
    return dense_number(named, [F.asc("item_id")], name="row", first=FIRST_ID)
