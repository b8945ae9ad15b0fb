"""Negatives that all targets of a batch share: drawn by popularity, uniformly, and from the batch itself."""

from __future__ import annotations

import torch
from torch import Tensor

from sequoia.errors import UserError
from sequoia.losses.full import NUM_RESERVED_ROWS
from sequoia.losses.settings import LossSettings


class Negatives:
    """Items drawn with replacement, the three ways side by side.

    popular: in proportion to (events + 1) ^ alpha, so that every item can be drawn. in_batch: from the
    targets of all ranks' batches, which follow the items' shares of the training events. An item's expected
    count is the sum over the three (the balance heuristic of Veach and Guibas, 1995).
    """

    def __init__(self, counts_V: Tensor, settings: LossSettings) -> None:
        """Take the training events of each vocabulary row; rows 0 and 1 are never drawn."""
        counts = counts_V.double()
        counts[:NUM_RESERVED_ROWS] = 0
        items_V = torch.arange(len(counts), device=counts.device) >= NUM_RESERVED_ROWS
        if not bool(items_V.any()):
            raise UserError("there are 0 items to draw negatives from: train on a vocabulary of one at least")
        weights_V = (counts + 1) ** settings.alpha * items_V
        self._settings = settings
        self._cumulative_V = weights_V.cumsum(0) / weights_V.sum()
        self._num_rows = len(counts)
        expected_V = (
            settings.popular * weights_V / weights_V.sum() + settings.uniform * items_V / items_V.sum()
        )
        if settings.in_batch:
            expected_V += settings.in_batch * counts / counts.sum().clamp(min=1)
        self.log_expected_count_V = expected_V.log().float()

    def draw(self, batch_M: Tensor, generator: torch.Generator) -> Tensor:
        """Return vocabulary rows, int64; batch_M: the targets of all ranks, in any order."""
        points = self._numbers(self._settings.popular, generator)
        # right=True steps over the rows of weight 0 in front.
        popular = torch.searchsorted(self._cumulative_V, points, right=True)
        uniform = self._numbers(self._settings.uniform, generator) * (self._num_rows - NUM_RESERVED_ROWS)
        batch = self._numbers(self._settings.in_batch, generator) * len(batch_M)
        parts = [
            popular.clamp(max=self._num_rows - 1),
            uniform.long() + NUM_RESERVED_ROWS,
            # In order, so that it does not depend on the number of ranks.
            batch_M.sort().values[batch.long()] if len(batch_M) else batch_M,
        ]
        return torch.cat(parts)

    def _numbers(self, count: int, generator: torch.Generator) -> Tensor:
        # By the generator's own device: a draw is the same whatever the model runs on.
        return torch.rand(count, generator=generator, dtype=torch.float64).to(self._cumulative_V.device)
