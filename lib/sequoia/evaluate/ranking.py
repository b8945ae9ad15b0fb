"""From where a target stands to its rank: ties, misses, and scores that rank nothing (numpy only).

Ties are pessimistic unless evaluate.ties says otherwise: rank = 1 + number of other items that score at least
as much. A model that gives all items one score therefore gains nothing.

A target that the model cannot recommend (it is hidden, not in the model's index, or scored -inf) is a miss:
it ranks behind all items and behind every cut-off. So is one whose scores are NaN.

Shape letters: B users, C a target and its candidates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sequoia.evaluate.metrics import LAST_CUTOFF
from sequoia.modelling.histories import Rows
from sequoia.modelling.preferences import Ranked

# What of a score is rounding: a model that gives all items one vector gives them scores this near.
ROUNDING = 2.0**-20

Draws = NDArray[np.float64]


def full_ranks(ranked: Ranked, num_items: int, draws_B: Draws | None = None) -> Rows:
    """Return ranks (B,) from 1 among all items.

    draws_B: from 0 to 1, where in a tie the target is put; None: last.
    """
    ranks_B = 1 + ranked.ahead_B + _drawn(ranked.level_B, draws_B)
    return np.where(_missed(ranked), miss_rank(num_items), ranks_B)


def sampled_ranks(ranked: Ranked, candidates_BC: NDArray[np.bool_], draws_B: Draws | None = None) -> Rows:
    """Return ranks (B,) from 1 among the target and candidates, those of ranked.wanted_BC that are marked.

    A candidate that the model does not know counts as worse than any known one.
    """
    target_B1 = ranked.wanted_BC[:, :1]
    ahead_B = ((ranked.wanted_BC > target_B1) & candidates_BC).sum(axis=1)
    level_B = ((ranked.wanted_BC == target_B1) & candidates_BC).sum(axis=1)
    behind_all_B = np.maximum(candidates_BC.sum(axis=1), LAST_CUTOFF) + 1
    return np.where(_missed(ranked), behind_all_B, 1 + ahead_B + _drawn(level_B, draws_B))


def _drawn(level_B: Rows, draws_B: Draws | None) -> Rows:
    return level_B if draws_B is None else np.floor(draws_B * (level_B + 1)).astype(np.int64)


def _missed(ranked: Ranked) -> NDArray[np.bool_]:
    target_B = ranked.wanted_BC[:, 0]
    missed: NDArray[np.bool_] = np.isneginf(target_B) | np.isnan(ranked.lowest_B + ranked.highest_B)
    return missed


def miss_rank(num_items: int) -> int:
    """Return the rank of a target that cannot be recommended, a miss even among fewer items than k."""
    return max(num_items, LAST_CUTOFF) + 1


def score_problems(ranked: Ranked, num_items: int) -> list[str | None]:
    """Return for each user what is wrong with the scores: nan, constant (all items alike), or None."""
    low_B, high_B = ranked.lowest_B.astype(np.float64), ranked.highest_B.astype(np.float64)
    with np.errstate(invalid="ignore"):
        gaps_B, sizes_B = high_B - low_B, np.maximum(np.abs(low_B), np.abs(high_B))
    near_B = np.isfinite(gaps_B) & (gaps_B <= ROUNDING * sizes_B)
    constant_B = ((low_B == high_B) | near_B) & (num_items > 1)
    return [
        "nan" if nan else "constant" if constant else None
        for nan, constant in zip(np.isnan(low_B) | np.isnan(high_B), constant_B, strict=True)
    ]
