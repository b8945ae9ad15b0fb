"""Registered versions and MLflow runs that nothing needs any more.

On an MLflow server a run is only marked as deleted, and `mlflow gc` there frees the space; from the
workspace's own store the artifacts go at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from sequoia.retention.kept import Kept
from sequoia.retention.removal import Removal, size_of
from sequoia.road.stage import Context
from sequoia.storage import is_local
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.registry import Version

PAGE = 1000


def old_versions(context: Context, kept: Kept, now: datetime) -> list[Removal]:
    """Return the versions without an alias that no rollback and no promotion will ask for."""
    connection, days = connect(context.config), context.config.retention.days
    client, found = connection.client, []
    for version in kept.registered:
        entry = client.get_model_version(version.name, version.number)
        age = _age(entry.creation_timestamp, now)
        if version.number not in kept.versions and age > days:
            remove = partial(client.delete_model_version, version.name, version.number)
            found.append(Removal(kind="version", name=_name(version), age_days=age, size=None, remove=remove))
    return found


def runs_of_versions(kept: Kept, without: list[Removal]) -> set[str]:
    """Return the MLflow runs of the registered versions that stay: those apart from the ones that go."""
    gone = {removal.name for removal in without}
    return {version.tags.get("training_run", "") for version in kept.registered if _name(version) not in gone}


def old_runs(context: Context, needed: set[str], now: datetime) -> list[Removal]:
    """Return the runs of trainings, also of failed ones, but for those that are needed."""
    connection, days = connect(context.config), context.config.retention.days
    old = [(run, _age(run.info.start_time, now)) for run in _training_runs(connection)]
    return [
        _run_removal(context, connection, run, age)
        for run, age in old
        if run.info.run_id not in needed and age > days
    ]


def _training_runs(connection: Connection) -> Iterator[Any]:
    """Yield the runs that the train stage made; others' runs in the same experiment are none of ours."""
    token: str | None = None
    while True:
        page = connection.client.search_runs(
            [connection.experiment_id], "", max_results=PAGE, page_token=token, order_by=["start_time ASC"]
        )
        yield from (run for run in page if "sequoia.fingerprint" in run.data.tags)
        token = page.token
        if not token:
            return


def _run_removal(context: Context, connection: Connection, run: Any, age: float) -> Removal:
    client, run_id = connection.client, run.info.run_id
    models = client.search_logged_models([connection.experiment_id], f"source_run_id = '{run_id}'")
    places = [run.info.artifact_uri, *(model.artifact_location for model in models)]
    folders = [folder for place in places if (folder := _own_folder(context, place))]
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
    if context.config.tracking.uri is not None or not is_local(workspace):
        return None
    folder, store = Path(unquote(urlparse(place).path)), workspace / "mlartifacts"
    return folder if folder.is_relative_to(store) and folder.is_dir() else None


def _name(version: Version) -> str:
    return f"{version.name} version {version.number}"


def _age(milliseconds: int, now: datetime) -> float:
    return (now - datetime.fromtimestamp(milliseconds / 1000, UTC)).total_seconds() / 86400
