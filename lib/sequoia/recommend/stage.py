"""Write the top items of every user from the model version that the alias names now.

Before the first champion there is nothing to recommend with: that is said, nothing is written, and the road
goes on to the report, which says why.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.recommend.histories import user_histories
from sequoia.recommend.samples import sample_users
from sequoia.recommend.worker import RECOMMENDED_SPARK, recommending_function
from sequoia.road.stage import Context, StageResult
from sequoia.tracking.connection import connect
from sequoia.tracking.registered_folder import fetch_folder, registered_cache
from sequoia.tracking.registry import Version, find_alias, required_alias


def run(context: Context) -> StageResult:
    """Resolve the alias once and recommend to all users of the interactions, in training or not."""
    config = context.config
    connection = connect(config)
    alias = config.recommend.alias
    # Another alias than the one that promotion moves was set by hand: a missing one is a mistake.
    version = (find_alias if alias == config.promote.alias else required_alias)(connection, alias)
    if version is None:
        return _no_champion_yet(context, connection.registered_model)
    folder = fetch_folder(connection, version, registered_cache(config))
    interactions = context.tables.read("interactions", written_by="ingest")
    partitions = context.spark.sparkContext.defaultParallelism
    histories = user_histories(
        interactions, config.sequences, seed=config.seed, partitions=partitions
    ).persist()
    try:
        users = histories.count()
        context.say(
            f"{config.recommend.k} items for {users:,} users from version {version.number} of {version.name}"
        )
        found = histories.mapInArrow(recommending_function(folder, config.recommend.k), RECOMMENDED_SPARK)
        context.tables.overwrite("recommendations", _with_origin(context, found, version))
        written = context.tables.read("recommendations")
        basis = {row["basis"]: row["count"] for row in written.groupBy("basis").count().collect()}  # two rows
        samples = sample_users(context, histories, written)
    finally:
        histories.unpersist()
    rows = sum(basis.values())
    assert rows == users, f"{rows} recommendation rows for {users} users"
    return StageResult(
        rows_in=users, rows_out=rows, details=_details(context, version, users, basis, samples)
    )


def _no_champion_yet(context: Context, name: str) -> StageResult:
    alias = context.config.recommend.alias
    context.say(
        f"no champion yet: alias {alias} of {name} names no version, so nothing is recommended; "
        "`sequoia promote` says why"
    )
    details = {
        "recommendations": {"users": 0, "k": context.config.recommend.k},
        "model": {"name": name, "version": None, "alias": alias},
        "basis": {"sequence": 0, "popular": 0},
        "samples": [],
    }
    return StageResult(rows_in=0, rows_out=0, details=details)


def _with_origin(context: Context, found: DataFrame, version: Version) -> DataFrame:
    return found.withColumns(
        {
            "registered_model": F.lit(version.name),
            "version": F.lit(version.number),
            "interactions_version": F.lit(context.tables.reads["interactions"]),
            "run_id": F.lit(context.run_id),
        }
    )


def _details(
    context: Context, version: Version, users: int, basis: dict[str, int], samples: list[dict[str, Any]]
) -> dict[str, Any]:
    settings = context.config.recommend
    return {
        "recommendations": {"users": users, "k": settings.k},
        "model": {"name": version.name, "version": version.number, "alias": settings.alias},
        "basis": {"sequence": basis.get("sequence", 0), "popular": basis.get("popular", 0)},
        "samples": samples,
    }
