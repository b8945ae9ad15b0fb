"""The MLflow run of one training: opened with its settings and data, closed with how it went.

A training that goes on from its checkpoint goes on with its run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sequoia.local_files import replace_text
from sequoia.provenance import actor, code_version, effective_settings, package_versions, settings_hash
from sequoia.road.stage import Context
from sequoia.storage import Location, remove
from sequoia.tables.snapshot_file import Snapshot
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.runs import Run, find_run_tags, resume_run, start_run

# By these `sequoia clean` tells the runs of a workspace from those of others.
RUN_ID = "sequoia.run_id"
TRAINING_TABLE = "sequoia.training_table"


@contextmanager
def training_run(
    context: Context,
    kind: str,
    model: dict[str, Any],
    fingerprint: str,
    pinned: Snapshot,
    *,
    unfinished: Location,
    goes_on: bool,
) -> Iterator[Run]:
    """Open a run tagged with the table version it trains on; it ends as FAILED when training raises.

    unfinished: a file that holds the id of the run until the training has ended well. goes_on: whether there
    is a checkpoint to go on from.
    """
    tags = {
        RUN_ID: context.run_id,
        "sequoia.model": kind,
        "sequoia.fingerprint": fingerprint,
        TRAINING_TABLE: context.tables.identifier(pinned.table),
        "sequoia.training_version": str(pinned.version),
        "sequoia.training_data": pinned.fingerprint,
        "sequoia.training_rows": str(pinned.rows),
    }
    tags |= {"sequoia.code": code_version(), "sequoia.actor": actor()}
    tags["sequoia.settings_hash"] = settings_hash(context.config)
    connection = connect(context.config)
    run = _earlier(connection, unfinished) if goes_on else None
    if run is None:
        run = start_run(connection, kind, tags)
        _log_settings(context, kind, model, run)
        replace_text(unfinished, run.id)
    try:
        yield run
    except BaseException:
        run.finish("FAILED")
        raise
    run.finish()
    remove(unfinished)


def _earlier(connection: Connection, unfinished: Location) -> Run | None:
    """Return the run of an interrupted training, or None where there is none any more."""
    if not unfinished.is_file():
        return None
    run_id = unfinished.read_text(encoding="utf-8")
    found = find_run_tags(connection, run_id)
    return None if found is None or found.deleted else resume_run(connection, run_id)


def _log_settings(context: Context, kind: str, model: dict[str, Any], run: Run) -> None:
    settings = {f"training.{key}": value for key, value in context.config.training.model_dump().items()}
    run.log_params(
        {"seed": context.config.seed, **settings, **{f"{kind}.{key}": value for key, value in model.items()}}
    )
    run.log_json(effective_settings(context.config), "settings.json")
    run.log_json(package_versions(), "packages.json")
