"""What a Spark task with a model computes on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from pyspark import TaskContext

from sequoia.errors import UserError
from sequoia.settings import Device

# Of NVIDIA's driver, and of the one in WSL: torch, which knows better, takes seconds to be imported.
DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))


def device_of_task(wanted: Device) -> str:
    """Return the device of this task: `auto` is a GPU where the machine has one.

    It is the one that Spark has assigned to the task; without such an order the tasks of a machine share its
    GPUs. Raises UserError when a GPU is asked for in vain.
    """
    if wanted == "cpu" or (wanted == "auto" and not any(driver.exists() for driver in DRIVERS)):
        return "cpu"
    import torch

    gpus = torch.cuda.device_count()
    if not gpus and wanted == "auto":
        return "cpu"
    if not gpus:
        raise UserError(
            f"device = cuda, and {socket.gethostname()} has no GPU: set evaluate.device and recommend.device "
            "to auto or cpu"
        )
    return f"cuda:{_number() % gpus}"


def _number() -> int:
    task = TaskContext.get()
    if task is None:
        return 0
    assigned = task.resources().get("gpu")
    # Spark numbers the GPUs of the machine, torch those that CUDA_VISIBLE_DEVICES leaves.
    if assigned is None or os.environ.get("CUDA_VISIBLE_DEVICES"):
        return int(task.partitionId())
    return int(assigned.addresses[0])
