"""Optimizers of the item table that touch only the rows that were used: for losses against samples.

A step's gradient has a row for each item that occurs as input, target or negative; what it costs does not
grow with the number of items, and an item that does not occur keeps its vector and its state.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from sequoia.distributed.collective import Collective
from sequoia.distributed.values import joined
from sequoia.modelling.histories import PADDING_ROW
from sequoia.neural.item_table import ItemTable

Rule = Literal["adam", "adagrad"]
FIRST, SECOND = 0.9, 0.999  # Adam's decay of the mean and of the mean square
TINY = 1e-8


class ItemOptimizer:
    """Moves the used rows of a table by Adam, or by Adagrad with one number for a row.

    Adam's moments do not decay while a row is not used (as torch's SparseAdam); Adagrad's number is the sum
    of the row's mean squared gradients (Gupta et al. 2014), so that its state is a number an item instead of
    two vectors.
    """

    def __init__(self, table: ItemTable, rule: Rule, group: Collective) -> None:
        self._table, self._rule, self._group = table, rule, group
        table.sparse = True
        weight = table.weight
        if rule == "adam":
            mean, square = torch.zeros_like(weight), torch.zeros_like(weight)
            steps = torch.zeros((), dtype=torch.float64)
            self.state = {"mean": mean, "square": square, "steps": steps}
        else:
            self.state = {"square": torch.zeros(len(weight), device=weight.device)}
        self._ids: Tensor = torch.zeros(0, dtype=torch.int64)
        self._gradient: Tensor = weight.new_zeros(0, weight.shape[1])

    def zero(self) -> None:
        """Forget the gradient."""
        self._table.weight.grad = None

    def finish(self, scale: Tensor) -> Tensor:
        """Add up the gradient over the ranks and multiply it; return its rows (U, D)."""
        ids_M, rows_MD = (joined(tensor, self._group) for tensor in self._of_rank())
        self._ids, place_M = torch.unique(ids_M, return_inverse=True)
        summed = rows_MD.new_zeros(len(self._ids), rows_MD.shape[1])
        self._gradient = summed.index_add_(0, place_M, rows_MD).mul_(scale)
        self._gradient[self._ids == PADDING_ROW] = 0
        return self._gradient

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the rows by the gradient."""
        moved = self._adam() if self._rule == "adam" else self._adagrad()
        self._table.weight.index_add_(0, self._ids, moved, alpha=-rate)

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up a state that another one of this rule had."""
        for name, tensor in state.items():
            self.state[name].copy_(tensor)

    def _of_rank(self) -> tuple[Tensor, Tensor]:
        """Return the rows that this rank has used, and their gradients."""
        weight = self._table.weight
        if weight.grad is None:
            nothing = torch.zeros(0, dtype=torch.int64, device=weight.device)
            return nothing, weight.new_zeros(0, weight.shape[1])
        found: Tensor = weight.grad.coalesce()
        return found.indices()[0], found.values()

    def _adam(self) -> Tensor:
        mean, square, steps = (self.state[name] for name in ("mean", "square", "steps"))
        steps += 1
        mean_UD = mean[self._ids].mul_(FIRST).add_(self._gradient, alpha=1 - FIRST)
        square_UD = square[self._ids].mul_(SECOND).addcmul_(self._gradient, self._gradient, value=1 - SECOND)
        mean[self._ids], square[self._ids] = mean_UD, square_UD
        first, second = (1 - math.pow(rate, steps.item()) for rate in (FIRST, SECOND))
        return (mean_UD / first) / ((square_UD / second).sqrt_() + TINY)

    def _adagrad(self) -> Tensor:
        square = self.state["square"]
        square.index_add_(0, self._ids, self._gradient.square().mean(dim=1))
        moved: Tensor = self._gradient / (square[self._ids, None].sqrt() + TINY)
        return moved
