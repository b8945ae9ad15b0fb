"""Choose the counting model's parameters on validation users by NDCG@10.

Only items with a vote can rank in the top, so the search stays sparse: a few milliseconds per point of the
grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sequoia.models.counting import CountingParameters, history_votes, transition_weights
from sequoia.models.counting_settings import CountingSettings
from sequoia.models.scorer import pad_left


def tune(
    pairs_by_distance: Mapping[int, sp.csr_array],
    events_V: NDArray[np.int64],
    histories: list[NDArray[np.int64]],
    targets: NDArray[np.int64],
    settings: CountingSettings,
) -> tuple[CountingParameters, sp.csr_array, float]:
    """Search the whole grid; return the best parameters (the first of equals), votes, and NDCG@10.

    pairs_by_distance: per distance the (V, V) number of ordered training pairs.
    """
    padded = pad_left(histories, max(settings.last))
    seen = _seen(histories, len(events_V))
    best: tuple[CountingParameters, sp.csr_array, float] | None = None
    for window, backward, power in product(settings.window, settings.backward, settings.popularity_power):
        pairs = sum_pairs(pairs_by_distance, window)
        votes = transition_weights(
            pairs, events_V, backward=backward, popularity_power=power, max_neighbours=settings.max_neighbours
        )
        for last, decay in product(settings.last, settings.decay):
            given = history_votes(padded, len(events_V), last=last, decay=decay)
            value = _ndcg_at_10(given @ votes, seen, targets)
            if best is None or value > best[2]:
                chosen = CountingParameters(
                    window=window, backward=backward, last=last, decay=decay, popularity_power=power
                )
                best = (chosen, votes, value)
    assert best is not None, "settings lists are never empty"
    return best


def sum_pairs(pairs_by_distance: Mapping[int, sp.csr_array], window: int) -> sp.csr_array:
    """Add up 1 / distance for every pair within the window."""
    terms = [pairs / distance for distance, pairs in sorted(pairs_by_distance.items()) if distance <= window]
    return sp.csr_array(sum(terms[1:], start=terms[0]))


def _seen(histories: list[NDArray[np.int64]], num_rows: int) -> sp.csr_array:
    user = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    rows = np.concatenate([*histories, np.zeros(0, dtype=np.int64)])
    marks = sp.csr_array((np.ones(len(rows)), (user, rows)), shape=(len(histories), num_rows))
    marks.data[:] = 1.0
    return marks


def _ndcg_at_10(scores: sp.csr_array, seen: sp.csr_array, targets: NDArray[np.int64]) -> float:
    if not len(targets):
        return 0.0
    unseen = (scores - scores.multiply(seen)).tocsr()
    target_score = np.asarray(unseen[np.arange(len(targets)), targets]).ravel()
    user = np.repeat(np.arange(len(targets)), np.diff(unseen.indptr))
    # The target is at or above itself, so the count is its rank; ties count against the model.
    rank = np.bincount(user, weights=unseen.data >= target_score[user], minlength=len(targets))
    gain = np.where((target_score > 0) & (rank <= 10), 1.0 / np.log2(np.maximum(rank, 1) + 1), 0.0)
    return float(gain.mean())
