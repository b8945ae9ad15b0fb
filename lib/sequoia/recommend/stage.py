"""Write the top items of every user from the model version that the alias names now.

Before the first champion there is nothing to recommend with: that is said, nothing is written, and the road
goes on to the report, which says why. Rows that the table holds already stay, with the run and the time that
they were written by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.buckets.arrays import scratch_folder
from sequoia.buckets.pieces import Range
from sequoia.ingest.pieces import interaction_pieces
from sequoia.recommend.histories import user_histories
from sequoia.recommend.samples import sample_users
from sequoia.recommend.worker import RECOMMENDED_SPARK, recommending_function
from sequoia.road.stage import Context, StageResult
from sequoia.storage import Location
from sequoia.tables.parts import Part
from sequoia.tracking.connection import connect
from sequoia.tracking.registered_folder import fetch_folder, registered_cache
from sequoia.tracking.registry import Version, find_alias, required_alias

TABLE = "recommendations"


def run(context: Context) -> StageResult:
    """Resolve the alias once and recommend to all users of the interactions, in training or not."""
    began, config = datetime.now(UTC), context.config
    connection = connect(config)
    alias = config.recommend.alias
    # Another alias than the one that promotion moves was set by hand: a missing one is a mistake.
    version = (find_alias if alias == config.promote.alias else required_alias)(connection, alias)
    if version is None:
        return _no_champion_yet(context, connection.registered_model)
    folder = fetch_folder(connection, version, registered_cache(config))
    with scratch_folder(config.workspace_path, context.run_id, "recommend") as scratch:
        return _recommend(context, version, folder, interaction_pieces(context, scratch), began)


def _recommend(
    context: Context, version: Version, folder: Location, pieces: Mapping[Range, Part], began: datetime
) -> StageResult:
    config = context.config
    histories = user_histories(context.spark, pieces, config.sequences, seed=config.seed).persist()
    try:
        users = histories.count()
        context.say(
            f"{config.recommend.k} items for {users:,} users from version {version.number} of {version.name}"
        )
        found = histories.mapInArrow(recommending_function(folder, config.recommend.k), RECOMMENDED_SPARK)
        _write(context, found, version, users, began)
        written = context.tables.read(TABLE)
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


def _write(context: Context, found: DataFrame, version: Version, users: int, began: datetime) -> None:
    """Write the rows with their origin, unless the table holds them already."""
    origin: dict[str, str | int] = {
        "registered_model": version.name,
        "version": version.number,
        "interactions_version": context.tables.reads["interactions"],
    }
    if _is_written(context, found, origin, users):
        context.say("nothing changed: the table holds these rows already")
        return
    told = {**origin, "run_id": context.run_id, "recommended": began}
    context.tables.overwrite(TABLE, found.withColumns({name: F.lit(value) for name, value in told.items()}))


def _is_written(context: Context, found: DataFrame, origin: Mapping[str, str | int], users: int) -> bool:
    """Say whether the table holds these rows, one for each of so many users, whoever wrote them and when."""
    if not context.tables.exists(TABLE):
        return False
    known = context.tables.read(TABLE)
    for name, value in origin.items():
        known = known.where(F.col(name) == value)
    # Where the count differs, as with every new champion, nothing is scored to be compared.
    return known.count() == users and found.exceptAll(known.select(*found.columns)).isEmpty()


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
