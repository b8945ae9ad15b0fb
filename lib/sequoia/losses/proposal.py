"""The distribution from which shared negatives are drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from sequoia.errors import UserError
from sequoia.losses.softmax import NUM_RESERVED_ROWS


class Proposal:
    """Items drawn with replacement in proportion to count ^ power; 0 is uniform over all items."""

    def __init__(self, counts_V: Tensor, power: float, num_negatives: int) -> None:
        """Take the training count of each vocabulary row; rows 0 and 1 are never drawn whatever theirs is."""
        weights_V = counts_V.double() ** power
        weights_V[:NUM_RESERVED_ROWS] = 0
        if num_negatives < 1 or not bool(weights_V.sum() > 0):
            raise UserError(
                f"{num_negatives} negatives over {int((weights_V > 0).sum())} items: both must be at least 1."
            )
        self.num_negatives = num_negatives
        self.cumulative_V = weights_V.cumsum(0) / weights_V.sum()
        self.log_expected_count_V = (num_negatives * weights_V / weights_V.sum()).log().float()

    def draw(self, generator: torch.Generator) -> Tensor:
        """Return num_negatives vocabulary rows, int64."""
        uniform_S = torch.rand(self.num_negatives, generator=generator, dtype=torch.float64)
        # right=True steps over the rows of weight 0 in front, whose cumulative weight is exactly 0.
        drawn_S = torch.searchsorted(self.cumulative_V, uniform_S, right=True)
        return drawn_S.clamp(max=len(self.cumulative_V) - 1)
