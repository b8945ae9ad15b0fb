"""Percentile bootstrap over users, exact on histograms (numpy only).

Drawing n users with replacement and counting their buckets is one multinomial draw from the histogram
(Efron 1979), so the cost does not depend on the number of users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sequoia.evaluate.metrics import METRICS, bucket_values


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over users with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How intervals are drawn: number of resamples, confidence between 0 and 1, seed."""

    samples: int
    confidence: float
    seed: int

    def intervals(self, counts: NDArray[np.int64]) -> dict[str, Interval]:
        """Return all metrics of rank histograms of groups of users (G, 21).

        In one group every rank is drawn alone; with several targets a user, whose ranks depend on each other,
        whole groups are drawn (random groups, Wolter 2007).
        """
        gains = np.stack([bucket_values(metric) for metric in METRICS], axis=1)
        drawn = self._resample(counts[0], gains) if len(counts) == 1 else self._draw_groups(counts, gains)
        return dict(zip(METRICS, drawn, strict=True))

    def _draw_groups(self, counts: NDArray[np.int64], gains: NDArray[np.float64]) -> list[Interval]:
        sizes, totals = counts.sum(axis=1), counts @ gains
        filled = np.flatnonzero(sizes)
        shares = self.resamples(np.ones(len(filled), np.int64))
        means = (shares @ totals[filled]) / (shares @ sizes[filled])[:, None]
        return self._between(totals.sum(axis=0) / sizes.sum(), means)

    def difference(self, metric: str, joint: NDArray[np.int64]) -> Interval:
        """Return first model minus second over the same users.

        joint: (21, 21) int64, users by the bucket of the first model (rows) and of the second (columns).
        """
        values = bucket_values(metric)
        gaps = values[:, None] - values[None, :]
        return self._resample(joint.ravel(), gaps.reshape(-1, 1))[0]

    def resamples(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return shares of users by bucket (samples, buckets), one row for each resample of a histogram.

        Raises ValueError when there are no users.
        """
        users = int(counts.sum())
        if users == 0:
            raise ValueError("no users to draw from")
        random = np.random.default_rng(self.seed)
        shares: NDArray[np.float64] = random.multinomial(users, counts / users, size=self.samples) / users
        return shares

    def _resample(self, counts: NDArray[np.int64], gains: NDArray[np.float64]) -> list[Interval]:
        filled = np.flatnonzero(counts)
        means = self.resamples(counts[filled]) @ gains[filled]
        return self._between(counts[filled] @ gains[filled] / counts.sum(), means)

    def _between(self, value: NDArray[np.float64], means: NDArray[np.float64]) -> list[Interval]:
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(means, [tail, 1 - tail], axis=0)
        return [
            Interval(value=float(middle), low=float(bottom), high=float(top))
            for middle, bottom, top in zip(value, low, high, strict=True)
        ]
