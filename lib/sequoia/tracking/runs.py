"""MLflow runs by id: no state of the process is involved, so any process can go on with any run.

Secrets are hidden in everything that is written.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sequoia.secrets import redact_values
from sequoia.tracking.connection import Connection

BATCH = 1000  # metrics per request, the limit of MLflow's interface
PARAMETER_BATCH = 100


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the experiment that is being written."""

    connection: Connection
    id: str

    def log_params(self, params: Mapping[str, object]) -> None:
        """Write settings; MLflow refuses another value for a key it knows."""
        from mlflow.entities import Param

        entries = [Param(key, str(value)) for key, value in redact_values(dict(params)).items()]
        for start in range(0, len(entries), PARAMETER_BATCH):
            part = entries[start : start + PARAMETER_BATCH]
            self.connection.client.log_batch(self.id, params=part)

    def logged_steps(self, key: str) -> set[int]:
        """Return the steps at which a metric was written."""
        return {metric.step for metric in self.connection.client.get_metric_history(self.id, key)}

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Write numbers at a step; a key may hold letters, digits, and any of `_-. :/` (see metric_key)."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entries = [Metric(key, float(value), now, step) for key, value in metrics.items()]
        for start in range(0, len(entries), BATCH):
            self.connection.client.log_batch(self.id, metrics=entries[start : start + BATCH])

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Write or replace tags."""
        from mlflow.entities import RunTag

        entries = [RunTag(key, value) for key, value in redact_values(dict(tags)).items()]
        self.connection.client.log_batch(self.id, tags=entries)

    def log_json(self, values: Mapping[str, object], name: str) -> None:
        """Store values as a JSON artifact of that name, secrets hidden."""
        self.connection.client.log_dict(self.id, redact_values(dict(values)), name)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Copy a file, or a folder with its contents, to the run's artifacts."""
        log = self.connection.client.log_artifacts if path.is_dir() else self.connection.client.log_artifact
        log(self.id, str(path), folder)

    def finish(self, status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED") -> None:
        """Close the run."""
        self.connection.client.set_terminated(self.id, status)


def start_run(connection: Connection, name: str, tags: Mapping[str, str] | None = None) -> Run:
    """Open a new run of the experiment."""
    hidden = redact_values(dict(tags or {}))
    created = connection.client.create_run(connection.experiment_id, run_name=name, tags=hidden)
    return Run(connection=connection, id=created.info.run_id)


def resume_run(connection: Connection, run_id: str) -> Run:
    """Go on with a run, as after an interruption."""
    connection.client.update_run(run_id, status="RUNNING")
    return Run(connection=connection, id=run_id)


def existing_run(connection: Connection, run_id: str) -> Run:
    """Return a run to add to, without touching its status."""
    return Run(connection=connection, id=run_id)


@dataclass(frozen=True, kw_only=True)
class RunTags:
    """The tags of a run; a deleted one can be restored until MLflow's garbage collection takes it."""

    values: dict[str, str]
    deleted: bool


def find_run_tags(connection: Connection, run_id: str) -> RunTags | None:
    """Return the tags of a run, or None when there is no such run."""
    client = connection.client
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return RunTags(values=dict(run.data.tags), deleted=run.info.lifecycle_stage == "deleted")


def metric_key(split: str, metric: str, protocol: str = "full") -> str:
    """Return the name of a ranking metric in MLflow, which allows no @: such as test/ndcg_at_10."""
    name = metric.replace("@", "_at_")
    return f"{split}/{name}" if protocol == "full" else f"{split}/{protocol}/{name}"
