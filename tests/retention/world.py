"""What trainings and promotions leave behind: real model folders, runs, checkpoints and versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from evaluate.world import save_counting
from tables.filled import filled_row

from sequoia.modelling.trained import DONE, TrainedModel
from sequoia.road.diary import record_run
from sequoia.road.stage import Context
from sequoia.tables.snapshot_file import Snapshot
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.registered_folder import fetch_folder, registered_cache
from sequoia.training.runs import training_run

NAME = "sequoia-next-item"
MARKS = {letter: letter * 16 for letter in "abcdef"}
LATER = timedelta(days=40)


def train(context: Context, letter: str, step: int = 1) -> TrainedModel:
    """Leave behind what a training leaves: a model folder, a run, a checkpoint, a line in the diary."""
    workspace, mark = context.config.workspace_path, MARKS[letter]
    if not context.recorded:
        record_run(context)
        context.recorded = True
    folder = save_counting(workspace / "models" / f"counting-{mark}", step=step)
    pinned = Snapshot(table="training", version=0, files=())
    opened = training_run(
        context, "counting", {}, mark, pinned, unfinished=folder / "unfinished", goes_on=False
    )
    with opened as run:
        run.log_artifact(folder / "items.parquet")
    (folder / DONE).write_text(run.id)
    put(workspace / "checkpoints" / folder.name / "epoch-00001" / "state.json")
    return TrainedModel(folder=folder, mlflow_run_id=run.id, fingerprint=mark)


def fail(context: Context, letter: str) -> str:
    """Leave behind what a failed training leaves: a run, whose id is returned."""
    pinned = Snapshot(table="training", version=0, files=())
    with (
        pytest.raises(ZeroDivisionError),
        training_run(
            context,
            "a failed training",
            {},
            MARKS[letter],
            pinned,
            unfinished=context.config.workspace_path / "unfinished",
            goes_on=False,
        ) as run,
    ):
        raise ZeroDivisionError
    return run.id


def promote(context: Context, model: TrainedModel, before: str | None) -> str:
    """Register a model and let the alias name it, as the promote stage does; return the version."""
    connection = connect(context.config)
    uri = log_model(connection, model.mlflow_run_id, "counting", model.folder, ["i00"])
    return promote_logged(context, model, uri, before)


def promote_logged(context: Context, model: TrainedModel, uri: str, before: str | None) -> str:
    """Register a logged model and let the alias name it."""
    connection = connect(context.config)
    tags = {registry.FINGERPRINT: model.fingerprint, registry.TRAINING_RUN: model.mlflow_run_id}
    version = registry.register(connection, uri, {**tags, registry.PREVIOUS: before or ""})
    registry.move_alias(connection, "champion", version)
    fetch_folder(connection, version, registered_cache(context.config))
    audit(context, before, version.number)
    return version.number


def audit(context: Context, before: str | None, after: str) -> None:
    schema = context.tables.schema("promotions")
    told = {"decided": datetime.now(UTC), "action": "promoted", "registered_model": NAME, "version": after}
    row = filled_row(schema, {**told, "champion_before": before, "champion_after": after})
    context.tables.add_rows("promotions", [row])


def put(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"0123456789")


def versions(context: Context) -> set[str]:
    client = connect(context.config).client
    return {str(entry.version) for entry in client.search_model_versions(f"name = '{NAME}'")}


def runs(context: Context) -> set[str]:
    connection = connect(context.config)
    return {run.info.run_id for run in connection.client.search_runs([connection.experiment_id])}


def removed(told: str) -> list[tuple[str, str]]:
    """Return (name, kind) of each line of the table."""
    lines = [line.split("  ") for line in told.splitlines()[2:-1]]
    return [(cells[0], next(cell for cell in cells[1:] if cell).strip()) for cells in lines]
