"""A small problem for losses: states, targets, and vectors of 28 items."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

NUM_ROWS, NUM_RESERVED_ROWS = 30, 2


def problem(num_targets: int = 20) -> tuple[Tensor, Tensor, Tensor]:
    """Return states, targets and vectors; all items have a vector, rows 0 and 1 too."""
    generator = torch.Generator().manual_seed(3)
    states = torch.randn(num_targets, 8, generator=generator).requires_grad_()
    vectors = torch.randn(NUM_ROWS, 8, generator=generator).requires_grad_()
    return states, torch.randint(NUM_RESERVED_ROWS, NUM_ROWS, (num_targets,), generator=generator), vectors


def cross_entropy(states: Tensor, targets: Tensor, vectors: Tensor) -> Tensor:
    """Return torch's own cross-entropy over the items, summed."""
    items = vectors[NUM_RESERVED_ROWS:]
    return F.cross_entropy(states @ items.T, targets - NUM_RESERVED_ROWS, reduction="sum")


class Plain:
    """Items whose vectors are a tensor."""

    def __init__(self, vectors: Tensor) -> None:
        self._vectors = vectors

    def rows(self, ids: Tensor) -> Tensor:
        """Return the vectors of rows."""
        return self._vectors[ids]

    def all_rows(self) -> Tensor:
        """Return all of them."""
        return self._vectors
