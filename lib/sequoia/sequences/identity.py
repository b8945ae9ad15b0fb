"""What distinguishes today's sequences from those of another day, for models to remember."""

from __future__ import annotations

from pyspark.sql import functions as F

from sequoia.models.trained_on import TrainedOn
from sequoia.road.stage import Context
from sequoia.sequences.held_out import history_length, training_length

# Settings that do not move an event from one side of the split to the other.
WITHOUT_EFFECT = {"max_rounds", "max_length", "shards", "session_gap_minutes"}


def current_sequences(context: Context) -> TrainedOn:
    """Describe the newest version of `sequences`, by one pass over its lengths and times."""
    settings = context.config.sequences
    sequences = context.tables.read("sequences", written_by="sequences")
    trained, place = training_length(settings.split), history_length("test", settings.split)
    row = sequences.agg(
        F.sum("length").alias("events"),
        F.max(F.element_at("times", -1)).alias("newest"),
        F.max(F.when(trained > 0, F.element_at("times", trained))).alias("newest_training"),
        F.min(F.when(place.isNotNull(), F.element_at("times", place + 1))).alias("first_target"),
    ).first()
    assert row is not None
    split = settings.model_dump(exclude=WITHOUT_EFFECT)
    if settings.split == "leave-one-out":
        split |= {"valid_share": None, "test_share": None}  # these cut the time split only
    return TrainedOn(
        table=context.tables.table_id("sequences"),
        version=context.tables.reads["sequences"],
        split=split | {"seed": context.config.seed},
        **{key: value or 0 for key, value in row.asDict().items()},
    )
