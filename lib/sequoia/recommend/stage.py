"""Write the top items of every user from the model version that the alias names now.

Before the first champion there is nothing to recommend with: that is said, nothing is written, and the road
goes on to the report, which says why. Rows that the table holds already stay, with the run and the time that
they were written by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sequoia.buckets.arrays import scratch_folder
from sequoia.buckets.pieces import Range
from sequoia.buckets.shuffle import Report, call_tasks, map_tasks
from sequoia.ingest.pieces import interaction_pieces
from sequoia.recommend.histories import user_shares
from sequoia.recommend.samples import show_samples
from sequoia.recommend.worker import COMPARED, Recommending, write_recommendations
from sequoia.road.stage import Context, StageResult
from sequoia.storage import Location, locate, remove
from sequoia.tables.content import content_fingerprint, content_of
from sequoia.tables.parts import Part, read_groups
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
    config, tables = context.config, context.tables
    context.say(f"{config.recommend.k} items for each user from version {version.number} of {version.name}")
    origin = {
        "registered_model": version.name,
        "version": version.number,
        "interactions_version": tables.reads["interactions"],
        "run_id": context.run_id,
        "recommended": began,
    }
    before = tables.begin(TABLE)
    what = Recommending(
        folder=folder,
        k=config.recommend.k,
        hide_seen=config.recommend.hide_seen,
        device=config.recommend.device,
        origin=origin,
        samples=config.recommend.sample_users,
        seed=config.seed,
        target=tables.target(TABLE),
    )
    cores = context.spark.sparkContext.defaultParallelism
    shares = user_shares(list(pieces.values()), config.sequences, seed=config.seed, cores=cores)
    calls = [partial(write_recommendations, share, what) for share in shares]
    reports: list[Report] = [one for one in call_tasks(context.spark, calls) if one]
    basis: Counter[str] = sum((Counter(report["basis"]) for report in reports), Counter())
    details = _details(context, version, basis, show_samples(context, reports))
    _publish(context, reports, before)
    users, written = sum(basis.values()), sum(report["part"]["rows"] for report in reports)
    assert written == users, f"{written} recommendation rows for {users} users"
    return StageResult(rows_in=users, rows_out=users, details=details)


def _publish(context: Context, reports: Sequence[Report], before: int) -> None:
    """Make what was written the table's rows, unless it holds them already."""
    parts = [Part(**report["part"]) for report in reports]
    if before and _is_written(context, reports):
        context.say("nothing changed: the table holds these rows already")
        for part in parts:
            remove(locate(part.path))
        return
    context.tables.publish(TABLE, parts, on=before)


def _is_written(context: Context, reports: Sequence[Report]) -> bool:
    """Say whether the table holds these rows, whoever wrote them and when."""
    files = context.tables.files(TABLE)
    held = map_tasks(context.spark, files, _content)
    return content_fingerprint(held) == content_fingerprint(report["content"] for report in reports)


def _content(part: Part) -> Report:
    return content_of(rows.select(COMPARED) for rows in read_groups(part.path, list(COMPARED)))


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


def _details(
    context: Context, version: Version, basis: Counter[str], samples: list[dict[str, Any]]
) -> dict[str, Any]:
    settings = context.config.recommend
    return {
        "recommendations": {"users": basis.total(), "k": settings.k},
        "model": {"name": version.name, "version": version.number, "alias": settings.alias},
        "basis": {"sequence": basis["sequence"], "popular": basis["popular"]},
        "samples": samples,
    }
