"""What a training process computes on."""

from __future__ import annotations

import os

import torch

from sequoia.errors import UserError


def choose_device(wanted: str) -> torch.device:
    """Return the device of a process: `auto` is its own GPU where the machine has one.

    Several processes of a machine take its GPUs in turn. Raises UserError when a GPU is asked for in vain.
    """
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    gpus = torch.cuda.device_count()
    local_rank = int(os.environ.get("LOCAL_RANK") or os.environ.get("HOROVOD_LOCAL_RANK") or 0)
    if local_rank >= gpus:
        raise UserError(
            f"training.device = {wanted}: process {local_rank} of this machine has no GPU, there are {gpus}: "
            "lower training.processes or set training.device=cpu"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device
