"""The negatives stage: candidate sets for metrics that rank the true item among a sample.

Reads `sequences` and `vocabulary`, writes `negatives`.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.negatives.arrow import SPARK_SCHEMA, DrawSettings, arrow_candidates
from sequoia.road.stage import Context, StageResult
from sequoia.sequences.held_out import history_length
from sequoia.sequences.vocabulary_arrays import vocabulary_files
from sequoia.tables.snapshot import take_snapshot


def run(context: Context) -> StageResult:
    """Draw the candidates of every user with a held-out event, for both splits and both samplers."""
    tables, settings = context.tables, context.config.negatives
    sequences = tables.read("sequences", written_by="sequences")
    vocabulary = take_snapshot(tables, "vocabulary")
    drawing = DrawSettings(
        files=vocabulary_files(vocabulary),
        candidates=settings.candidates,
        alpha=settings.alpha,
        seed=context.config.seed,
    )
    protocol = context.config.sequences.split
    places = {f"{split}_place": history_length(split, protocol) for split in ("valid", "test")}
    held = sequences.select("user_id", "items", *[place.alias(name) for name, place in places.items()])
    held = held.where(F.coalesce(*places).isNotNull())
    tables.overwrite("negatives", held.mapInArrow(arrow_candidates(drawing), SPARK_SCHEMA))
    sets = count_sets(tables.read("negatives"), settings.candidates)
    return StageResult(
        rows_in=sequences.count(),
        rows_out=sum(one["users"] for one in sets),
        details={
            "candidates": settings.candidates,
            "alpha": settings.alpha,
            "seed": context.config.seed,
            "items": vocabulary.rows,
            "sets": sets,
        },
    )


def count_sets(negatives: DataFrame, candidates: int) -> list[dict[str, Any]]:
    """Count users per split and sampler, and those for whom the catalogue was too small for a full set."""
    short = F.count(F.when(F.size("candidates") < candidates, 1)).alias("short")
    counted = negatives.groupBy("split", "sampler").agg(F.count("*").alias("users"), short)
    return [row.asDict() for row in counted.orderBy("split", "sampler").collect()]  # four at most
