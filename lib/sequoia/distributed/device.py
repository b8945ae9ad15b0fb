"""What a training process computes on."""

from __future__ import annotations

import os

import torch

from sequoia.errors import UserError


def choose_device(wanted: str) -> torch.device:
    """Return the device of a process: `auto` is a GPU where there is one for each of the machine's.

    Several processes of a machine take a GPU each. Raises UserError when there is none for this one.
    """
    gpus = torch.cuda.device_count()
    local_size = _number("LOCAL_WORLD_SIZE", "HOROVOD_LOCAL_SIZE", missing=1)
    if wanted == "cpu" or (wanted == "auto" and gpus < local_size):
        return torch.device("cpu")
    local_rank = _number("LOCAL_RANK", "HOROVOD_LOCAL_RANK", missing=0)
    if local_rank >= gpus:
        raise UserError(
            f"training.device = {wanted}: process {local_rank} of this machine has no GPU, there are {gpus}: "
            "lower training.processes or set training.device=cpu"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


def _number(*names: str, missing: int) -> int:
    """Return what the launcher says by one of its variables."""
    return next((int(value) for name in names if (value := os.environ.get(name))), missing)
