"""Checkpoints: weights and optimizer as safetensors, the rest as JSON; complete or not there at all.

A checkpoint is written beside the last one, brought to disk, and named in `latest` by an atomic rename; the
two newest stay. `best.safetensors` holds the weights with the best validation metric so far.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from sequoia.errors import UserError
from sequoia.local_files import replace_text, replacing
from sequoia.training.checkpoint_folder import LATEST, latest_checkpoint

Tensors = dict[str, dict[str, Tensor]]  # weights, optimizer, and items (their optimizer), each by name
PARTS = ("weights", "optimizer", "items")

STATE, BEST = "state.json", "best.safetensors"


@dataclass(kw_only=True)
class Progress:
    """How far a training is: epoch and step are the next to take, both from 0.

    plan: the numbers that the steps of an epoch follow from. Of this epoch so far are loss (summed over
    targets), targets, seconds and those of them waited for input.
    """

    epoch: int = 0
    step: int = 0
    plan: list[int] = field(default_factory=list)
    loss: float = 0.0
    targets: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    best_epoch: int = -1
    best_value: float = -1.0
    finished: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def has_begun(self) -> bool:
        """Say whether any step was taken."""
        return self.epoch > 0 or self.step > 0

    def next_epoch(self) -> None:
        """Begin the epoch after this one."""
        self.epoch += 1
        self.restart_epoch()

    def restart_epoch(self) -> None:
        """Begin this epoch anew."""
        self.step, self.targets = 0, 0
        self.loss = self.seconds = self.waited = 0.0


def optimizer_state(optimizer: Optimizer) -> dict[str, Tensor]:
    """Return an optimizer's state as <parameter>.<name>."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{key}": torch.as_tensor(value) for number, of in state.items() for key, value in of.items()
    }


def set_optimizer_state(optimizer: Optimizer, slots: Mapping[str, Tensor]) -> None:
    """Give an optimizer the state that `optimizer_state` told."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in slots.items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def save_checkpoint(
    folder: Path, tensors: Tensors, progress: Progress, identity: dict[str, Any], *, is_best: bool
) -> None:
    """Write a checkpoint; `identity` (plain values) says which model it is of.

    Raises UserError when it cannot be written, such as on a full disk: the one before stays.
    """
    try:
        _save_checkpoint(folder, tensors, progress, identity, is_best=is_best)
    except (OSError, SafetensorError) as error:
        size = sum(tensor.nbytes for named in tensors.values() for tensor in named.values())
        why = " ".join(str(error).split())
        raise UserError(
            f"a checkpoint of {size:,} bytes could not be written to {folder} ({why}): make room and "
            "run again; one before it, where there is one, is whole, and the training goes on from it"
        ) from error


def _save_checkpoint(
    folder: Path, tensors: Tensors, progress: Progress, identity: dict[str, Any], *, is_best: bool
) -> None:
    name = f"epoch-{progress.epoch:05d}-step-{progress.step:08d}"
    previous = latest_checkpoint(folder)
    state = {"identity": identity, "progress": vars(progress)}
    with replacing(folder / name) as scratch:
        scratch.mkdir()
        for part, named in tensors.items():
            _save(named, scratch / f"{part}.safetensors")
        if is_best:
            _save(tensors["weights"], scratch / BEST)
        elif previous is not None and (previous / BEST).is_file():
            shutil.copy(previous / BEST, scratch / BEST)
        (scratch / STATE).write_text(json.dumps(state), encoding="utf-8")
        for file in scratch.iterdir():
            _to_disk(file)
        _to_disk(scratch)
    _to_disk(folder)  # before the pointer: it must not name what a crash of the machine takes away
    replace_text(folder / LATEST, name)
    _to_disk(folder)
    for old in folder.glob("epoch-*"):
        if old.name not in (name, previous.name if previous is not None else name):
            shutil.rmtree(old)


def _save(named: Mapping[str, Tensor], path: Path) -> None:
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in named.items()}, path)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_progress(folder: Path, identity: dict[str, Any]) -> Progress | None:
    """Read how far the checkpoint of a folder is, or None when there is none.

    Raises UserError when it is of another model, naming the first setting that differs.
    """
    latest = latest_checkpoint(folder)
    if latest is None:
        return None
    state = json.loads((latest / STATE).read_text(encoding="utf-8"))
    for key in sorted(identity.keys() | state["identity"].keys()):
        wanted, found = identity.get(key), state["identity"].get(key)
        if wanted != found:
            raise UserError(
                f"checkpoint {latest} is of another model: its {key} is {found}, this run's is {wanted}; "
                "train with its settings, or without training.resume_from"
            )
    return Progress(**state["progress"])


def load_tensors(folder: Path) -> Tensors:
    """Read what the newest checkpoint of a folder holds of a training."""
    return {part: load_file(_newest(folder) / f"{part}.safetensors") for part in PARTS}


def best_weights(folder: Path) -> dict[str, Tensor]:
    """Read the weights with the best validation metric so far."""
    return load_file(_newest(folder) / BEST)


def _newest(folder: Path) -> Path:
    latest = latest_checkpoint(folder)
    assert latest is not None, f"no checkpoint in {folder}"
    return latest
