"""Hit rate, NDCG and reciprocal rank of one target per user (numpy only).

Every metric@k depends on the rank alone, and all ranks beyond the last cut-off count alike. So a histogram
over 21 buckets (ranks 1 to 20, and 21 for everything worse) holds all that any number of users can tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUTOFFS = (1, 5, 10, 20)
LAST_CUTOFF = CUTOFFS[-1]
BUCKETS = LAST_CUTOFF + 1
METRICS = tuple(f"{name}@{cutoff}" for name in ("hr", "ndcg", "mrr") for cutoff in CUTOFFS)


def user_values(metric: str, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the metric of each user from the rank of the user's target (int64 from 1).

    hr@k is 1 for a rank up to k; ndcg@k is 1 / log2(rank + 1) there, as one relevant item makes the ideal
    1; mrr@k is 1 / rank there; all are 0 beyond. Raises ValueError for a metric outside METRICS or a rank
    below 1.
    """
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric}: known are {', '.join(METRICS)}")
    if len(ranks) and ranks.min() < 1:
        raise ValueError(f"rank {ranks.min()} is below 1")
    name, _, cutoff = metric.partition("@")
    hits = ranks <= int(cutoff)
    if name == "hr":
        return hits.astype(np.float64)
    gains = 1 / np.log2(ranks + 1) if name == "ndcg" else 1 / ranks
    return np.where(hits, gains, 0.0)


def histogram(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count ranks by bucket: (21,) int64, the last one for ranks beyond 20."""
    return np.bincount(np.minimum(ranks, BUCKETS) - 1, minlength=BUCKETS)


def bucket_values(metric: str) -> NDArray[np.float64]:
    """Return the metric's value of each bucket: (21,) float64."""
    return user_values(metric, np.arange(1, BUCKETS + 1))


def mean_value(metric: str, counts: NDArray[np.int64]) -> float:
    """Return the mean of the metric over the users of a histogram (21,)."""
    return float(counts @ bucket_values(metric) / counts.sum())


def metrics_of_ranks(ranks: NDArray[np.int64]) -> dict[str, float]:
    """Return the means of all metrics over users with these ranks (at least one)."""
    counts = histogram(ranks)
    return {metric: mean_value(metric, counts) for metric in METRICS}
