"""A group of one process."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sequoia.distributed.collective import Wait


class SingleProcess:
    """Every verb is its own answer."""

    rank = 0
    size = 1
    is_main = True

    def start_sum(self, tensor: Tensor) -> Wait:
        """Leave the tensor as it is."""
        return lambda: None

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the tensor."""
        return tensor.clone()

    def broadcast(self, tensor: Tensor) -> Tensor:
        """Return the tensor."""
        return tensor.clone()

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return the tensor, (1, ...)."""
        return tensor[None].clone()

    def all_to_all(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Return the rows."""
        return rows.clone(), list(counts)

    def reduce_scatter(self, tensor: Tensor) -> Tensor:
        """Return the tensor."""
        return tensor.clone()

    def barrier(self) -> None:
        """Wait for nobody."""

    def close(self) -> None:
        """Leave nothing."""
