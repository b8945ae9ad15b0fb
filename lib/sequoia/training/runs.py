"""The MLflow run of one training: opened with its settings and data, closed with how it went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sequoia.provenance import actor, code_version, effective_settings, package_versions, settings_hash
from sequoia.road.stage import Context
from sequoia.tables.snapshot_file import Snapshot
from sequoia.tracking.connection import connect
from sequoia.tracking.runs import Run, start_run

# By these `sequoia clean` tells the runs of a workspace from those of others.
RUN_ID = "sequoia.run_id"
TRAINING_TABLE = "sequoia.training_table"


@contextmanager
def training_run(
    context: Context, kind: str, model: dict[str, Any], fingerprint: str, pinned: Snapshot
) -> Iterator[Run]:
    """Open a run tagged with the table version it trains on; it ends as FAILED when training raises."""
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
    run = start_run(connect(context.config), kind, tags)
    settings = {f"training.{key}": value for key, value in context.config.training.model_dump().items()}
    run.log_params(
        {"seed": context.config.seed, **settings, **{f"{kind}.{key}": value for key, value in model.items()}}
    )
    run.log_json(effective_settings(context.config), "settings.json")
    run.log_json(package_versions(), "packages.json")
    try:
        yield run
    except BaseException:
        run.finish("FAILED")
        raise
    run.finish()
