"""MLflow's address: where runs, artifacts and registered models are.

Only the files of this folder import mlflow, and only when they talk to it: the import takes seconds.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sequoia.config import Config
from sequoia.log import hide_secrets_of
from sequoia.storage import Location, is_local

if TYPE_CHECKING:
    from mlflow import MlflowClient

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # It would print the server's address with the password in it.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Addresses and names in MLflow."""

    tracking_uri: str
    registry_uri: str
    experiment: str
    registered_model: str
    artifacts: str | None

    @cached_property
    def client(self) -> MlflowClient:
        """Return the client, after pointing mlflow's module-level functions to the same addresses."""
        _quieten()
        import mlflow

        hide_secrets_of("mlflow")
        mlflow.set_tracking_uri(self.tracking_uri)
        mlflow.set_registry_uri(self.registry_uri)
        return mlflow.MlflowClient(self.tracking_uri, self.registry_uri)

    @cached_property
    def experiment_id(self) -> str:
        """Return the experiment's id; it is created at first use, on Databricks with its folder."""
        # A workspace lists /Workspace/Shared/x as /Shared/x and finds it under no other name.
        name = self.experiment.removeprefix("/Workspace")
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        if self.tracking_uri.startswith("databricks"):
            _make_workspace_folder(self.tracking_uri, name.rpartition("/")[0])
        return str(self.client.create_experiment(name, artifact_location=self.artifacts))


def connect(config: Config) -> Connection:
    """Return the configured MLflow: a server, or a sqlite file, by default the workspace's."""
    tracking = config.tracking
    uri = tracking.uri or _in_workspace(config.workspace_path)
    return Connection(
        tracking_uri=uri,
        registry_uri=tracking.registry_uri or uri,
        experiment=tracking.experiment,
        registered_model=tracking.registered_model,
        artifacts=_beside(uri),
    )


def _in_workspace(workspace: Location) -> str:
    """Return the address of the workspace's sqlite file."""
    # The configuration refuses a remote workspace without an address: sqlite needs a file of this machine.
    assert is_local(workspace), workspace
    workspace.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{workspace / 'mlflow.db'}"


def _beside(uri: str) -> str | None:
    """Return the artifact folder beside a sqlite file, None for a server, which has its own.

    MLflow would put artifacts into `mlruns` of whatever folder a command happens to be started in.
    """
    file = uri.removeprefix("sqlite:///").partition("?")[0]
    return None if file == uri else (Path(file).absolute().parent / "mlartifacts").as_uri()


def _make_workspace_folder(tracking_uri: str, folder: str) -> None:
    """Create a workspace folder with its parents; one that exists stays as it is."""
    from databricks.sdk import WorkspaceClient

    # databricks://<profile> names a section of ~/.databrickscfg, as it does to MLflow.
    WorkspaceClient(profile=tracking_uri.partition("://")[2] or None).workspace.mkdirs(folder)


def _quieten() -> None:
    for key, value in QUIET.items():
        os.environ.setdefault(key, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
