"""What the train stage hands to the training processes, and where they leave the model.

The processes may be on other machines: all that they need is named by a path or URI that they see, too.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from dataclasses import asdict, dataclass
from typing import Any

from sequoia.errors import UserError
from sequoia.local_files import fresh_workbench, local_copy, publish, replace_text
from sequoia.losses.settings import LossSettings
from sequoia.modelling.features import FeatureSettings
from sequoia.modelling.interface import Model
from sequoia.modelling.item_index import FILE as ITEMS
from sequoia.modelling.registry import fits_itself
from sequoia.modelling.trained_on import KEY, TrainedOn
from sequoia.storage import Location, is_local, locate, uri
from sequoia.tables.snapshot_file import Snapshot
from sequoia.training.settings import TrainingSettings

# These decide how fast a model is trained, not which model comes out.
PLACES = ("inputs", "folder", "checkpoints", "warm_start")
TILES = {"target_tile", "item_tile"}
WITHOUT_EFFECT = {
    *("models", "launcher", "hosts", "processes", "threads", "timeout_seconds", "resume", "resume_from"),
    *("device", "reader", "token_budget", "compile", "checkpoint_epochs", "checkpoint_steps"),
}


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """One model to train: settings, pinned data, and where things are.

    inputs: a folder with the item index and the validation users. folder: of the model to be. checkpoints:
    where they are kept. warm_start: the folder of an earlier model.
    """

    kind: str
    model: dict[str, Any]
    training: TrainingSettings
    loss: LossSettings
    features: FeatureSettings
    seed: int
    snapshot: Snapshot
    inputs: Location
    folder: Location
    checkpoints: Location
    trained_on: TrainedOn
    hide_seen: bool  # in validation
    warm_start: Location | None = None

    @property
    def place(self) -> Location:
        """Return where the spec is stored."""
        return self.folder / "spec.json"

    def write(self) -> None:
        """Store the spec as JSON."""
        places = {name: None if (at := getattr(self, name)) is None else uri(at) for name in PLACES}
        fields = {name: value for name, value in vars(self).items() if name not in PLACES}
        values = (
            places
            | fields
            | {
                "training": self.training.model_dump(),
                "loss": self.loss.model_dump(),
                "features": self.features.model_dump(),
                "snapshot": self.snapshot.to_json(),
                "trained_on": asdict(self.trained_on),
            }
        )
        replace_text(self.place, json.dumps(values, indent=1))

    @staticmethod
    def read(place: Location) -> TrainingSpec:
        """Load a spec written by `write`; raises UserError on a machine that does not see it."""
        if not place.is_file():
            raise UserError(
                f"{uri(place)} is not there on {socket.gethostname()}: several machines train in a "
                "workspace that all of them see, an object store or a shared folder"
            )
        values = json.loads(place.read_text(encoding="utf-8"))
        values["training"] = TrainingSettings.model_validate(values["training"])
        values["loss"] = LossSettings.model_validate(values["loss"])
        values["features"] = FeatureSettings.model_validate(values["features"])
        values["snapshot"] = Snapshot.from_json(values["snapshot"])
        values["trained_on"] = TrainedOn(**values["trained_on"])
        places = {name: None if values[name] is None else locate(values[name]) for name in PLACES}
        return TrainingSpec(**(values | places))

    def save(self, model: Model, *, history: list[dict[str, Any]], best_epoch: int) -> None:
        """Write the model folder, from whatever machine: weights, item index, how it was trained."""
        bench = fresh_workbench(self.folder)
        shutil.copyfile(local_copy(self.inputs) / ITEMS, bench / ITEMS)
        model.save(
            bench, extra={"history": history, "best_epoch": best_epoch, KEY: self.trained_on.to_json()}
        )
        if not is_local(self.folder):
            for file in bench.iterdir():
                publish(file, self.folder / file.name)


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
