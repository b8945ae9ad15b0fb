"""Which of today's test targets a model was trained on: on those its rank is worth nothing.

A champion from last month may have been trained under another split, another k, or on data that were erased
since. Four ways to tell, from the cheapest: it was trained on the very version of `sequences` that is
tested; all of its training events are older than the first test target; the version it was trained on can
still be read, and each test target is looked for among the user's training events there; or the data were
left-one-out by the same settings and have only grown since, so that a user's last event cannot lie before
the user's last event of then (the k-core grows with the data). Where none holds, it cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType

from sequoia.models.trained_on import TrainedOn
from sequoia.road.stage import Context
from sequoia.sequences.held_out import history_length, training_length
from sequoia.sequences.identity import current_sequences

UNTOLD = "untold"


def mark_leaks(context: Context, ranked: DataFrame, models: Mapping[str, TrainedOn | None]) -> DataFrame:
    """Add the column `leaked` to ranks: null where it cannot be told; validation never leaks."""
    now = current_sequences(context)
    found = {name: _leaked_users(context, origin, now) for name, origin in models.items()}
    untold = [name for name, users in found.items() if isinstance(users, str)]
    frames = [
        users.select(F.lit(name).alias("model"), "user_id", F.lit(True).alias("hit"))
        for name, users in found.items()
        if isinstance(users, DataFrame)
    ]
    unknown = F.lit(None).cast(BooleanType())
    clean = F.when(F.col("model").isin(untold) & (F.col("split") == "test"), unknown).otherwise(F.lit(False))
    if not frames:
        return ranked.withColumn("leaked", clean)
    hits = reduce(DataFrame.union, frames)
    joined = ranked.join(hits, on=["model", "user_id"], how="left")
    is_hit = F.col("hit").isNotNull() & (F.col("split") == "test")
    return joined.withColumn("leaked", F.when(is_hit, True).otherwise(clean)).drop("hit")


def _leaked_users(context: Context, origin: TrainedOn | None, now: TrainedOn) -> DataFrame | str | None:
    """Return the users whose test target trained the model, None for nobody, UNTOLD where nothing tells."""
    if origin is None:
        return UNTOLD
    same_split = origin.split == now.split
    is_today = (origin.table, origin.version) == (now.table, now.version) and same_split
    if is_today or origin.newest_training < now.first_target:
        return None
    if origin.table == now.table:
        users = _looked_up(context, origin, now)
        if users is not None:
            return users
    grown = origin.newest <= now.newest and origin.events <= now.events
    return None if same_split and grown and origin.split["split"] == "leave-one-out" else UNTOLD


def _looked_up(context: Context, origin: TrainedOn, now: TrainedOn) -> DataFrame | None:
    """Find today's test targets among the training events of an older version; None when that is gone."""
    try:
        before = context.tables.read("sequences", version=origin.version)
        trained = before.select(
            "user_id",
            F.slice("items", 1, training_length(origin.split["split"])).alias("trained_items"),
            F.slice("times", 1, training_length(origin.split["split"])).alias("trained_times"),
        )
        leaked = (
            _targets(context, now).join(trained, on="user_id").where(_is_among_trained()).select("user_id")
        )
        kept = leaked.persist()
        kept.count()  # files that VACUUM removed are missed only now
    except (PySparkException, Py4JJavaError):  # the latter for what Spark's own tasks meet
        return None
    finally:
        context.tables.reads["sequences"] = now.version
    return kept


def _targets(context: Context, now: TrainedOn) -> DataFrame:
    """Return (user_id, item, time) of the test targets."""
    sequences = context.tables.read("sequences", version=now.version)
    place = history_length("test", context.config.sequences.split)
    return (
        sequences.withColumn("place", place)
        .where(F.col("place").isNotNull())
        .select(
            "user_id",
            F.element_at("items", F.col("place") + 1).alias("target_item"),
            F.element_at("times", F.col("place") + 1).alias("target_time"),
        )
    )


def _is_among_trained() -> Column:
    # An item at a moment is one event: duplicates by (user, item, time) were resolved by ingest.
    pairs = F.arrays_zip("trained_items", "trained_times")
    return F.exists(
        pairs,
        lambda event: (
            (event["trained_items"] == F.col("target_item"))
            & (event["trained_times"] == F.col("target_time"))
        ),
    )
