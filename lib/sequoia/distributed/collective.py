"""The collective seam: what training asks of the other processes, whoever started them.

The trainer never asks which implementation it is on. One behaviour suite (tests/distributed) runs against
each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, Protocol

from torch import nn
from torch.nn import Parameter
from torch.optim import Optimizer


class Collective(Protocol):
    """A group of training processes. All processes call the same verbs in the same order."""

    rank: int
    size: int

    @property
    def is_main(self) -> bool:
        """Say whether this is the process that logs and writes."""
        ...

    def broadcast_object(self, value: Any, *, name: str) -> Any:
        """Return the main process' JSON-like value everywhere; `name` must be the same on all processes."""
        ...

    def broadcast_module(self, module: nn.Module) -> None:
        """Give every process the main process' parameters and buffers."""
        ...

    def all_reduce_sum(self, values: dict[str, float]) -> dict[str, float]:
        """Add up numbers over all processes (float64)."""
        ...

    def wrap_optimizer(self, optimizer: Optimizer, parameters: Iterable[tuple[str, Parameter]]) -> Optimizer:
        """Return an optimizer whose step uses the SUM of all processes' gradients."""
        ...

    def barrier(self) -> None:
        """Wait for all processes."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


def connect(launcher: str, *, timeout_seconds: int) -> Collective:
    """Join the group that a launcher ('horovod', 'torchrun' or 'single') has started."""
    if launcher == "horovod":
        from sequoia.distributed.horovod_group import HorovodGroup

        return HorovodGroup()
    if launcher == "torchrun":
        from sequoia.distributed.torch_group import TorchGroup

        return TorchGroup(timeout_seconds=timeout_seconds)
    from sequoia.distributed.single import SingleProcess

    return SingleProcess()


def leave(group: Collective) -> NoReturn:
    """Leave the group and end the process, well, without what Python and C++ take down at the end.

    Under torchrun a process whose work was done aborts there at times, after the last of Python: "terminate
    called without an active exception", a thread that nobody has joined (torch 2.13 with Gloo on two busy
    cores: once in ten runs).
    """
    group.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
