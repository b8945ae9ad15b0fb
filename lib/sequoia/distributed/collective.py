"""The collective seam: what training asks of the other processes, whoever started them.

The trainer never asks which implementation it is on. One behaviour suite (tests/distributed) runs against
each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

import torch
from torch import Tensor

Wait = Callable[[], None]


class Collective(Protocol):
    """A group of training processes, its ranks. All of them call the same verbs in the same order.

    Tensors have the same shape and type on all ranks, but for the rows of `all_to_all`.
    """

    rank: int
    size: int

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0, the process that logs and writes."""
        ...

    def start_sum(self, tensor: Tensor) -> Wait:
        """Begin to add up a tensor over all ranks, in place; it must not be touched before the wait ends."""
        ...

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the ranks' tensors."""
        ...

    def broadcast(self, tensor: Tensor) -> Tensor:
        """Return rank 0's tensor."""
        ...

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks, (size, ...) in the order of the ranks."""
        ...

    def all_to_all(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Send the first counts[0] rows to rank 0, the next counts[1] to rank 1, and so on.

        Returns the rows that came, in the order of the ranks, and how many from each.
        """
        ...

    def reduce_scatter(self, tensor: Tensor) -> Tensor:
        """Return this rank's part of the sum over ranks: the tensor's rows are size equal parts."""
        ...

    def barrier(self) -> None:
        """Wait for all processes."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


def connect(launcher: str, *, device: torch.device, timeout_seconds: int) -> Collective:
    """Join the group that a launcher (a value of training.launcher) has started.

    device: of the tensors that are exchanged, beside the processor's.
    """
    if launcher in ("horovod", "horovod-spark"):
        from sequoia.distributed.horovod_group import HorovodGroup

        return HorovodGroup(device)
    if launcher in ("torchrun", "torch-distributor"):
        from sequoia.distributed.torch_group import TorchGroup

        return TorchGroup(device=device, timeout_seconds=timeout_seconds)
    from sequoia.distributed.single import SingleProcess

    return SingleProcess()


def end_process() -> NoReturn:
    """End this process, well, without what Python and C++ take down at the end.

    Under torchrun a process whose work was done aborts there at times, after the last of Python: "terminate
    called without an active exception", a thread that nobody has joined (torch 2.13 with Gloo on two busy
    cores: once in ten runs).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
