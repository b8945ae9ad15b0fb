"""Ranks of targets and top items from a matrix of scores (numpy only).

The tie rule is pessimistic: rank = 1 + number of other unseen items whose score is at least the target's. A
model that gives all items one score therefore gains nothing. Items of the history get -inf and are never
recommended.

A target that the model cannot recommend (it is in the history, not in the model's index, or scored -inf) is
a miss: it ranks behind all items and behind every cut-off.

Shape letters: B users, V rows of the model's item index (0 padding, 1 unknown, items from 2), K top items.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sequoia.errors import DivergedError
from sequoia.evaluate.metrics import LAST_CUTOFF

FIRST_ITEM_ROW = 2
Rows = NDArray[np.int64]


def hide_seen(scores_BV: NDArray[np.float32], seen: Sequence[Rows]) -> None:
    """Set the scores of seen items, and of rows 0 and 1, to -inf in place.

    Raises DivergedError for NaN scores: a model that diverged has no ranks.
    """
    if np.isnan(scores_BV).any():
        users = int(np.isnan(scores_BV).any(axis=1).sum())
        raise DivergedError(
            f"the model scores NaN for {users} users, so it diverged: lower training.learning_rate"
        )
    scores_BV[:, :FIRST_ITEM_ROW] = -np.inf
    for user, rows in enumerate(seen):
        scores_BV[user, rows] = -np.inf


def score_problems(scores_BV: NDArray[np.float32]) -> list[str | None]:
    """Return for each user what is wrong with the scores: nan, constant (all items alike), or None."""
    if scores_BV.shape[1] <= FIRST_ITEM_ROW:
        return [None] * len(scores_BV)
    items_BV = scores_BV[:, FIRST_ITEM_ROW:]
    low_B, high_B = items_BV.min(axis=1), items_BV.max(axis=1)  # NaN where any score is
    several = items_BV.shape[1] > 1
    return [
        "nan" if np.isnan(low) else "constant" if several and low == high else None
        for low, high in zip(low_B, high_B, strict=True)
    ]


def rank_targets(
    scores_BV: NDArray[np.float32], targets_B: Rows, seen: Sequence[Rows], k: int
) -> tuple[Rows, Rows]:
    """Return ranks (B,) from 1 and the top items (B, k), best first.

    scores_BV is changed: seen items are set to -inf. Ties among top items go to the lower row; row 0 stands
    where fewer than k items can be recommended.
    """
    hide_seen(scores_BV, seen)
    target_scores_B = scores_BV[np.arange(len(targets_B)), targets_B]
    ranks_B = (scores_BV >= target_scores_B[:, None]).sum(axis=1)
    num_items = scores_BV.shape[1] - FIRST_ITEM_ROW
    ranks_B[np.isneginf(target_scores_B)] = miss_rank(num_items)
    return ranks_B, top_rows(scores_BV, k)


def rank_among(scores_BV: NDArray[np.float32], targets_B: Rows, candidates: Sequence[Rows]) -> Rows:
    """Return ranks (B,) from 1 among the target and its candidates, ties against the target.

    scores_BV is what hide_seen left. A candidate that the model does not know counts as worse than any
    known one.
    """
    ranks_B = np.empty(len(targets_B), dtype=np.int64)
    for user, (target, rows) in enumerate(zip(targets_B, candidates, strict=True)):
        target_score = scores_BV[user, target]
        ahead = int((scores_BV[user, rows] >= target_score).sum())
        ranks_B[user] = miss_rank(len(rows)) if np.isneginf(target_score) else 1 + ahead
    return ranks_B


def miss_rank(num_items: int) -> int:
    """Return the rank of a target that cannot be recommended, a miss even among fewer items than k."""
    return max(num_items, LAST_CUTOFF) + 1


def top_rows(scores_BV: NDArray[np.float32], k: int) -> Rows:
    """Return the k best rows (B, k), best first, ties by row; 0 where the score would be -inf."""
    num_users, num_rows = scores_BV.shape
    top_BK = np.zeros((num_users, k), dtype=np.int64)
    kept = min(k, num_rows)
    bounds_B = np.partition(scores_BV, num_rows - kept, axis=1)[:, num_rows - kept]
    for user, (scores, bound) in enumerate(zip(scores_BV, bounds_B, strict=True)):
        above = np.flatnonzero(scores > bound)
        above = above[np.argsort(-scores[above], kind="stable")]
        equal = np.flatnonzero(scores == bound)[: kept - len(above)] if bound > -np.inf else above[:0]
        top_BK[user, : len(above) + len(equal)] = np.concatenate([above, equal])
    return top_BK
