"""A model folder: model.json (kind, settings, sizes), weights.safetensors, items.parquet. No pickle anywhere.

items.parquet is the model's own item index: row, item_id, item, events.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequoia.errors import UserError
from sequoia.modelling.features import FeatureSettings

if TYPE_CHECKING:
    from sequoia.storage import Location

ABOUT, WEIGHTS = "model.json", "weights.safetensors"
FEATURES = "features"  # in model.json: what a neural model knows beside items


def write_about(folder: Path, model: Any, settings: dict[str, Any], extra: dict[str, Any]) -> None:
    """Write model.json of a model; `extra` are plain values."""
    about = {
        "kind": type(model).__module__.rpartition(".")[2],
        "settings": settings,
        "num_rows": model.num_rows,
        "max_length": model.max_length,
        **extra,
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def event_columns_of(folder: Location) -> list[str]:
    """Return which columns of histories the model of a folder looks at; none where it cannot be read."""
    try:
        said = json.loads((folder / ABOUT).read_text(encoding="utf-8"))[FEATURES]
        return FeatureSettings.model_validate(said).event_columns
    except (ValueError, TypeError, KeyError, FileNotFoundError):
        return []


def read_about(folder: Path) -> dict[str, Any]:
    """Read model.json; raises UserError when a folder holds none."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        about["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder} holds no model ({error}): name a folder written by `sequoia train`"
        ) from None
    return about
