"""Registered versions and MLflow runs that nothing needs any more.

On an MLflow server a run is only marked as deleted, and `mlflow gc` there frees the space; from the
workspace's own store the artifacts go at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sequoia.retention.kept import Kept
from sequoia.retention.needs import Needs, logged_models, places, version_name
from sequoia.retention.removal import Removal, size_of
from sequoia.road.stage import Context
from sequoia.storage import from_encoded, is_local, is_mounted
from sequoia.tracking.connection import connect


def old_versions(context: Context, kept: Kept, now: datetime) -> list[Removal]:
    """Return the versions without an alias that no rollback and no promotion will ask for."""
    connection, days = connect(context.config), context.config.retention.days
    client, found = connection.client, []
    for version in kept.registered:
        entry = client.get_model_version(version.name, version.number)
        age = _age(entry.creation_timestamp, now)
        if version.number not in kept.versions and age > days:
            name = version_name(version.name, version.number)
            remove = partial(client.delete_model_version, version.name, version.number)
            found.append(Removal(kind="version", name=name, age_days=age, size=None, remove=remove))
    return found


def old_runs(context: Context, trainings: Mapping[str, Any], needs: Needs, now: datetime) -> list[Removal]:
    """Return those of the workspace's own trainings, also of failed ones, that are not needed."""
    connection, days = connect(context.config), context.config.retention.days
    found = []
    for run in trainings.values():
        age = _age(run.info.start_time, now)
        models = logged_models(connection, run) if age > days else []
        if age > days and not needs.include(run, models):
            found.append(_run_removal(context, run, models, age))
    return found


def _run_removal(context: Context, run: Any, models: list[Any], age: float) -> Removal:
    client, run_id = connect(context.config).client, run.info.run_id
    folders = [folder for place in places(run, models) if (folder := _own_folder(context, place))]
    steps: list[Callable[[], object]] = [
        partial(client.delete_logged_model, model.model_id) for model in models
    ]
    steps.append(partial(client.delete_run, run_id))
    size = sum(size_of(folder) for folder in folders) if context.config.tracking.uri is None else None
    return Removal(
        kind="run",
        name=f"{run.info.run_name} {run_id}",
        age_days=age,
        size=size,
        remove=partial(_remove_run, steps, folders),
    )


def _remove_run(steps: list[Callable[[], object]], folders: list[Path]) -> None:
    """Remove the artifacts first: of a run that is still listed the next clean finds what this one left."""
    for folder in folders:
        shutil.rmtree(folder)
    for step in steps:
        step()


def _own_folder(context: Context, place: str) -> Path | None:
    """Return the folder of artifacts when it lies in the workspace's own store."""
    workspace = context.config.workspace_path
    if context.config.tracking.uri is not None or not is_local(workspace) or not is_mounted(place):
        return None
    folder, store = from_encoded(place), workspace / "mlartifacts"
    return folder if is_local(folder) and folder.is_relative_to(store) and folder.is_dir() else None


def _age(milliseconds: int, now: datetime) -> float:
    return (now - datetime.fromtimestamp(milliseconds / 1000, UTC)).total_seconds() / 86400
