"""What the train stage hands to the training processes: one JSON file of plain values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sequoia.losses.settings import LossSettings
from sequoia.modelling.features import FeatureSettings
from sequoia.modelling.registry import fits_itself
from sequoia.modelling.trained_on import TrainedOn
from sequoia.tables.snapshot_file import Snapshot
from sequoia.training.settings import TrainingSettings

# These decide how fast a model is trained, not which model comes out.
TILES = {"target_tile", "item_tile"}
WITHOUT_EFFECT = {
    *("models", "launcher", "processes", "threads", "timeout_seconds", "resume", "resume_from"),
    *("device", "reader", "token_budget", "checkpoint_epochs", "checkpoint_steps"),
}


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """One model to train: settings, pinned data, and where things go (absolute paths)."""

    kind: str
    model: dict[str, Any]
    training: TrainingSettings
    loss: LossSettings
    features: FeatureSettings
    seed: int
    snapshot: Snapshot
    folder: Path
    validation: Path
    checkpoints: Path
    trained_on: TrainedOn
    hide_seen: bool  # in validation
    warm_start: Path | None = None  # the folder of an earlier model
    checkpoint_store: str | None = None  # where checkpoints are published to, when that is not this machine

    def write(self, path: Path) -> None:
        """Store the spec as JSON."""
        values = asdict(self) | {
            "training": self.training.model_dump(),
            "loss": self.loss.model_dump(),
            "features": self.features.model_dump(),
            "snapshot": self.snapshot.to_json(),
        }
        path.write_text(json.dumps(values, default=str, indent=1), encoding="utf-8")

    @staticmethod
    def read(path: Path) -> TrainingSpec:
        """Load a spec written by `write`."""
        values = json.loads(path.read_text(encoding="utf-8"))
        values["training"] = TrainingSettings.model_validate(values["training"])
        values["loss"] = LossSettings.model_validate(values["loss"])
        values["features"] = FeatureSettings.model_validate(values["features"])
        values["snapshot"] = Snapshot.from_json(values["snapshot"])
        values["trained_on"] = TrainedOn(**values["trained_on"])
        for key in ("folder", "validation", "checkpoints"):
            values[key] = Path(values[key])
        if values["warm_start"] is not None:
            values["warm_start"] = Path(values["warm_start"])
        return TrainingSpec(**values)


def fingerprint(
    kind: str,
    model: dict[str, Any],
    training: TrainingSettings,
    loss: LossSettings,
    features: FeatureSettings,
    seed: int,
    snapshot: Snapshot,
    *,
    hide_seen: bool,
) -> str:
    """Return a hash of everything that decides what the trained model is."""
    settings = training.model_dump(exclude=WITHOUT_EFFECT)
    settings["loss"], settings["features"] = loss.model_dump(exclude=TILES), features.model_dump()
    # A model without epochs: its own settings and the data decide.
    decisive = {"kind": kind, "model": model, "seed": seed, "snapshot": snapshot.fingerprint}
    if not hide_seen:
        decisive["hide_seen"] = False
    decisive["training"] = {"validation_users": training.validation_users} if fits_itself(kind) else settings
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]
