"""A group of one process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.nn import Parameter
from torch.optim import Optimizer


class SingleProcess:
    """Every verb is its own answer."""

    rank = 0
    size = 1
    is_main = True

    def broadcast_object(self, value: Any, *, name: str) -> Any:
        """Return the value."""
        return value

    def broadcast_module(self, module: nn.Module) -> None:
        """Leave the module as it is."""

    def all_reduce_sum(self, values: dict[str, float]) -> dict[str, float]:
        """Return the values."""
        return dict(values)

    def wrap_optimizer(self, optimizer: Optimizer, parameters: Iterable[tuple[str, Parameter]]) -> Optimizer:
        """Return the optimizer."""
        return optimizer

    def barrier(self) -> None:
        """Wait for nobody."""

    def close(self) -> None:
        """Leave nothing."""
