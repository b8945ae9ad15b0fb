"""Which models the last training run left behind: `<workspace>/models/latest.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sequoia.errors import UserError

LATEST = Path("models") / "latest.json"


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A fitted model: its folder (absolute), its MLflow run, a hash of its settings and training snapshot."""

    folder: Path
    mlflow_run_id: str
    fingerprint: str


def write_trained(workspace: Path, run_id: str, models: Mapping[str, TrainedModel]) -> None:
    """Replace the list of trained models (by name) in one step; their folders lie below the workspace."""
    entries = {
        name: {
            "folder": model.folder.relative_to(workspace).as_posix(),
            "mlflow_run_id": model.mlflow_run_id,
            "fingerprint": model.fingerprint,
        }
        for name, model in models.items()
    }
    target = workspace / LATEST
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(
        json.dumps({"run_id": run_id, "models": entries}, indent=2) + "\n", encoding="utf-8"
    )
    os.replace(unfinished, target)


def read_trained(workspace: Path) -> dict[str, TrainedModel]:
    """Return the trained models by name, in order of their names.

    Raises UserError when nothing was trained in this workspace, or a model's folder is gone.
    """
    path = workspace / LATEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        models = {name: _model(workspace, entry) for name, entry in sorted(entries.items())}
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist, so no model was trained here: run `sequoia train` first"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error!r}): run `sequoia train` again") from None
    for name, model in models.items():
        if not (model.folder / "model.json").is_file():
            raise UserError(f"{model.folder} of model {name} holds no model.json: run `sequoia train` again")
    return models


def _model(workspace: Path, entry: Mapping[str, str]) -> TrainedModel:
    return TrainedModel(
        folder=workspace / entry["folder"],
        mlflow_run_id=entry["mlflow_run_id"],
        fingerprint=entry["fingerprint"],
    )
