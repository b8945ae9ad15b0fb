"""The sequences stage: k-core, order, splits, sessions, vocabulary and training rows.

Reads `interactions`, `items` and the four indexes; writes `kcore`, `sequences`, `sessions`, `vocabulary` and
`training`. All checks that can refuse come before the first write.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.road.stage import Context, StageResult
from sequoia.sequences.checks import check_core, check_days, check_index
from sequoia.sequences.core import Core, find_core
from sequoia.sequences.held_out import training_length
from sequoia.sequences.histories import sort_by_user, user_histories
from sequoia.sequences.indexed_events import indexed_events, raw_and_dense_ids
from sequoia.sequences.time_cuts import choose_cuts, events_per_day
from sequoia.sequences.training_rows import MIN_EVENTS, training_rows
from sequoia.sequences.visits import visit_rows
from sequoia.sequences.vocabulary import vocabulary_rows
from sequoia.sequences.vocabulary_arrays import vocabulary_files
from sequoia.tables.snapshot import take_snapshot
from sequoia.together import together


def run(context: Context) -> StageResult:
    """Write the tables; raises UserError for an empty core, an old index, or an empty time span."""
    settings = context.config.sequences
    interactions = context.tables.read("interactions", written_by="ingest")
    total = interactions.agg(F.count("*").alias("rows"), F.count("user").alias("with_user")).first()
    assert total is not None
    item_ids, user_ids = (raw_and_dense_ids(context, key) for key in ("item", "user"))
    events = indexed_events(context, interactions, item_ids=item_ids, user_ids=user_ids).localCheckpoint()
    check_index(indexed=events.count(), interactions=total["with_user"])
    pairs = events.groupBy("user_id", "item_id").agg(F.count("*").alias("events"))
    if settings.repeats == "first":
        pairs = pairs.withColumn("events", F.lit(1).cast("bigint"))
    core = find_core(pairs.localCheckpoint(), k=settings.k, max_rounds=settings.max_rounds)
    check_core(core, settings)
    context.say(f"{settings.k}-core: {core.rounds[-1].interactions:,} of {total['with_user']:,} interactions")
    ordered = sort_by_user(core_events(events, core.pairs, settings.repeats)).localCheckpoint()
    histogram = events_per_day(ordered)
    check_days(histogram, settings)
    cuts = choose_cuts(histogram, valid_share=settings.valid_share, test_share=settings.test_share)
    sequences, _ = together(
        lambda: write_sequences(context, ordered, item_ids, cuts),
        lambda: write_side_tables(context, events, user_ids, core),
    )
    return account(context, total["rows"], total["with_user"], core, cuts, sequences)


def core_events(events: DataFrame, pairs: DataFrame, repeats: str) -> DataFrame:
    """Keep the events of the core's pairs, or of each pair the earliest."""
    kept = events.join(pairs.select("user_id", "item_id"), on=["user_id", "item_id"], how="left_semi")
    if repeats == "keep":
        return kept.select(events.columns)
    keys = ["user_id", "item_id"]
    others = [name for name in events.columns if name not in keys]
    earliest = kept.groupBy(keys).agg(
        F.min(F.struct("time", *[n for n in others if n != "time"])).alias("event")
    )
    return earliest.select(*keys, *[f"event.{name}" for name in others]).select(events.columns)


def write_sequences(
    context: Context, ordered: DataFrame, item_ids: DataFrame, cuts: tuple[int, int]
) -> DataFrame:
    """Write sequences (returned), then the vocabulary and the training rows that follow from them."""
    settings, tables = context.config.sequences, context.tables
    tables.overwrite("sequences", user_histories(ordered, cuts=cuts, max_events=settings.max_events))
    sequences = tables.read("sequences")
    tables.overwrite("vocabulary", vocabulary_rows(sequences, item_ids, settings.split))
    files = vocabulary_files(take_snapshot(tables, "vocabulary"))
    rows = training_rows(
        sequences,
        files,
        settings.split,
        max_length=settings.max_length,
        shards=settings.shards,
        seed=context.config.seed,
    )
    tables.overwrite("training", rows)
    return sequences


def write_side_tables(context: Context, events: DataFrame, user_ids: DataFrame, core: Core) -> None:
    """Write what does not depend on the sequences: the rounds of the core, and sessions."""
    tables, settings = context.tables, context.config.sequences
    rounds = [{"k": settings.k, "round": number, **vars(one)} for number, one in enumerate(core.rounds)]
    tables.replace_rows("kcore", rounds)
    tables.overwrite("sessions", visit_rows(events, user_ids, gap_minutes=settings.session_gap_minutes))


def account(
    context: Context, rows_in: int, with_user: int, core: Core, cuts: tuple[int, int], sequences: DataFrame
) -> StageResult:
    """Check that every interaction is either in a sequence or counted as removed, and say so."""
    settings = context.config.sequences
    trains = F.when(training_length(settings.split) >= MIN_EVENTS, 1)
    kept = sequences.agg(F.count("*"), F.sum("length"), F.count(trains)).first()
    assert kept is not None
    first, last = core.rounds[0], core.rounds[-1]
    cut_histories, cut_events = count_cut(core.pairs, settings.max_events)
    removed = {
        "without_user": rows_in - with_user,
        "repeats": with_user - first.interactions,
        "kcore": first.interactions - last.interactions,
        "max_events": cut_events,
    }
    assert (last.users, rows_in) == (kept[0], kept[1] + sum(removed.values())), (last, rows_in, kept, removed)
    details: dict[str, Any] = {
        "kcore": {"k": settings.k, "rounds": len(core.rounds) - 1, **vars(last)},
        "sequences": kept[0],
        "sessions": context.tables.read("sessions").count(),
        "training_rows": kept[2],
        "cut_histories": cut_histories,
        "time_cuts": list(cuts),
        "removed": removed,
    }
    return StageResult(rows_in=rows_in, rows_out=kept[0], details=details)


def count_cut(pairs: DataFrame, max_events: int) -> tuple[int, int]:
    """Count the users with more than max_events events, and their events beyond that."""
    excess = F.greatest(F.sum("events") - max_events, F.lit(0)).alias("excess")
    per_user = pairs.groupBy("user_id").agg(excess)
    row = per_user.agg(F.count(F.when(F.col("excess") > 0, 1)), F.sum("excess")).first()
    assert row is not None
    return row[0], row[1]
