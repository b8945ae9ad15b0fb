"""Checkpoints: weights and optimizer as safetensors, the rest as JSON; complete or not there at all.

A checkpoint is written beside the last one and named in `latest` by an atomic rename; older ones are removed
after that. `best.safetensors` holds the weights with the best validation metric so far.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from sequoia.errors import UserError
from sequoia.local_files import replace_text, replacing
from sequoia.training.checkpoint_folder import LATEST, latest_checkpoint


@dataclass(kw_only=True)
class Progress:
    """How far a training is; epochs count from 0 and `epoch` is the next one to run."""

    epoch: int = 0
    best_epoch: int = -1
    best_value: float = -1.0
    finished: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)


def save_checkpoint(
    folder: Path,
    model: nn.Module,
    optimizer: Optimizer,
    progress: Progress,
    identity: dict[str, Any],
    *,
    is_best: bool,
) -> None:
    """Write a checkpoint; `identity` (plain values) says which model it is of."""
    name = f"epoch-{progress.epoch:05d}"
    previous = latest_checkpoint(folder)
    state = {"identity": identity, "progress": progress.__dict__}
    with replacing(folder / name) as scratch:
        scratch.mkdir()
        save_file(_weights(model), scratch / "model.safetensors")
        save_file(_optimizer_tensors(optimizer), scratch / "optimizer.safetensors")
        if is_best:
            save_file(_weights(model), scratch / "best.safetensors")
        elif previous is not None:
            shutil.copy(previous / "best.safetensors", scratch / "best.safetensors")
        (scratch / "state.json").write_text(json.dumps(state), encoding="utf-8")
    replace_text(folder / LATEST, name)
    for old in folder.glob("epoch-*"):
        if old.name != name:
            shutil.rmtree(old)


def load_progress(folder: Path, identity: dict[str, Any]) -> Progress | None:
    """Read how far the checkpoint of a folder is, or None when there is none.

    Raises UserError when it is of another model, naming the first setting that differs.
    """
    latest = latest_checkpoint(folder)
    if latest is None:
        return None
    state = json.loads((latest / "state.json").read_text(encoding="utf-8"))
    for key in sorted(identity.keys() | state["identity"].keys()):
        wanted, found = identity.get(key), state["identity"].get(key)
        if wanted != found:
            raise UserError(
                f"checkpoint {latest} is of another model: its {key} is {found}, this run's is {wanted}; "
                "train with its settings, or without training.resume_from"
            )
    return Progress(**state["progress"])


def load_weights(
    folder: Path, model: nn.Module, optimizer: Optimizer | None = None, *, best: bool = False
) -> None:
    """Load the newest (or best) weights and, if asked, the optimizer."""
    latest = latest_checkpoint(folder)
    assert latest is not None, f"no checkpoint in {folder}"
    model.load_state_dict(load_file(latest / ("best.safetensors" if best else "model.safetensors")))
    if optimizer is not None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in load_file(latest / "optimizer.safetensors").items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous().clone() for name, tensor in model.state_dict().items()}


def _optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{key}": torch.as_tensor(value).clone()
        for number, slots in state.items()
        for key, value in slots.items()
    }
