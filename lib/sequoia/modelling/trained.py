"""Which models the last training run left behind: `<workspace>/models/latest.json`.

A model that turned out not to be sound (its scores are NaN or constant, its item index is another one)
stands there by name with the reason, and nothing of it is kept: the next run trains it anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sequoia.errors import UserError
from sequoia.local_files import replace_text
from sequoia.storage import Location, relative_to, remove

LATEST = "models/latest.json"
DONE = "mlflow_run"  # in a model folder: the id of its MLflow run, written when training has ended well
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A fitted model: its folder, its MLflow run, a hash of its settings and training snapshot."""

    folder: Location
    mlflow_run_id: str
    fingerprint: str


def write_trained(
    workspace: Location,
    run_id: str,
    models: Mapping[str, TrainedModel],
    refused: Mapping[str, str] | None = None,
) -> None:
    """Replace the list of trained models, and of refused ones with the reason (by name), in one step.

    The folders of the models lie below the workspace.
    """
    entries = {
        name: {
            "folder": relative_to(model.folder, workspace),
            "mlflow_run_id": model.mlflow_run_id,
            "fingerprint": model.fingerprint,
        }
        for name, model in models.items()
    }
    _replace(workspace, {"run_id": run_id, "models": entries, "refused": dict(refused or {})})


def refuse_trained(workspace: Location, reasons: Mapping[str, str]) -> None:
    """Move models to the refused ones, each with its reason, so that the next run trains them anew."""
    models = read_trained(workspace)
    for name in reasons:
        forget(workspace, models[name].folder)
    latest = json.loads((workspace / LATEST).read_text(encoding="utf-8"))
    kept = {name: entry for name, entry in latest["models"].items() if name not in reasons}
    _replace(workspace, latest | {"models": kept, "refused": read_refused(workspace) | dict(reasons)})


def forget(workspace: Location, folder: Location) -> None:
    """Let a model folder count as not trained: without its mark and checkpoints nothing goes on from it."""
    remove(folder / DONE)
    remove(workspace / CHECKPOINTS / folder.name)


def read_refused(workspace: Location) -> dict[str, str]:
    """Return why models were refused, by name."""
    try:
        latest = json.loads((workspace / LATEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return dict(latest.get("refused", {}))


def _replace(workspace: Location, latest: Mapping[str, object]) -> None:
    replace_text(workspace / LATEST, json.dumps(latest, indent=2) + "\n")


def read_trained(workspace: Location) -> dict[str, TrainedModel]:
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


def _model(workspace: Location, entry: Mapping[str, str]) -> TrainedModel:
    return TrainedModel(
        folder=workspace / entry["folder"],
        mlflow_run_id=entry["mlflow_run_id"],
        fingerprint=entry["fingerprint"],
    )
