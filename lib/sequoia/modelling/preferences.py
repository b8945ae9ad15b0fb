"""What a model makes of a batch of histories, computed once: asked for the best items, and where some rank.

Shape letters: B users, C items asked for, K best items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sequoia.modelling.histories import Histories, Rows

Scores = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best items (B, K), best first, ties by row; row 0 with the score -inf where there are fewer."""

    rows_BK: Rows
    scores_BK: Scores

    @staticmethod
    def nothing(users: int, k: int) -> Best:
        """Return no items."""
        return Best(
            rows_BK=np.zeros((users, k), np.int64), scores_BK=np.full((users, k), -np.inf, np.float32)
        )


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Where a target of each user stands among all items that are not hidden.

    ahead_B: how many others score more, level_B: how many as much, as far as float32 can tell. wanted_BC:
    scores, the target's first; -inf for what is hidden or no item. lowest_B, highest_B: no score of any item,
    hidden ones too, is outside; the same where all items score alike, NaN where any score is.
    """

    best: Best
    ahead_B: Rows
    level_B: Rows
    wanted_BC: Scores
    lowest_B: Scores
    highest_B: Scores


class Preferences(Protocol):
    """Answers of one model for one batch. `hidden` are items of each user that must not be recommended."""

    def best(self, k: int, hidden: Histories) -> Best:
        """Return the k best items of each user."""
        ...

    def rank(self, wanted_BC: Rows, k: int, hidden: Histories) -> Ranked:
        """Rank each user's target wanted_BC[:, 0] among all items; also score the others, such as candidates.

        wanted_BC: rows, 0 where a user has fewer.
        """
        ...

    def of(self, rows_BC: Rows) -> Scores:
        """Score some items of each user; -inf for rows 0 and 1."""
        ...
