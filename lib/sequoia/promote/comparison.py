"""One model against another on the same users: how far apart, how sure, how many users it takes (numpy only).

The difference is the mean over users of the metric's paired gap, its interval the percentile bootstrap over
users. A handful of users who all agree would leave an interval of width zero and prove anything, so two
made-up users are added, one whom each model serves and the other fails at the extremes of the metric (the
idea of Agresti and Min, 2005, for matched pairs). With thousands of users they do not matter, with twenty
they keep the gate shut.

How many users it takes is the usual plan for a paired comparison: to tell a difference d with one-sided
error a and power p takes ((z(1-a) + z(p)) * s / d)^2 users, where s is the standard deviation of the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sequoia.evaluate.bootstrap import Bootstrap, Interval
from sequoia.evaluate.metrics import bucket_values


@dataclass(frozen=True, kw_only=True)
class Demands:
    """What a comparison has to show: a relative difference of the metric (at least `floor`), how surely."""

    metric: str
    difference: float
    power: float
    false_promotions: float
    floor: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The first model minus the second.

    own, other: their means of the metric over the shared users. difference: with the ends of the one-sided
    intervals. step: the difference asked for, in the metric's own units. needed: users it takes to see that.
    """

    name: str
    users: int
    own: float
    other: float
    difference: Interval
    step: float
    needed: int

    def figures(self) -> dict[str, float]:
        """Return the numbers for the audit."""
        gap = self.difference
        return {
            "users": self.users,
            "users_needed": self.needed,
            "own": self.own,
            "other": self.other,
            "difference": gap.value,
            "difference_low": gap.low,
            "difference_high": gap.high,
            "difference_asked": self.step,
        }


def compare(name: str, joint: NDArray[np.int64], demands: Demands, *, samples: int, seed: int) -> Comparison:
    """Compare over users counted by bucket of the first model (rows) and of the second (columns): (21, 21).

    Raises ValueError when there are no users.
    """
    users = int(joint.sum())
    if not users:
        raise ValueError(f"no users shared with {name}")
    values = bucket_values(demands.metric)
    own, other = float(joint.sum(axis=1) @ values / users), float(joint.sum(axis=0) @ values / users)
    widened = with_two_extreme_users(joint)
    # The ends are those of two one-sided intervals, so that each errs in the stated share.
    bootstrap = Bootstrap(samples=samples, confidence=1 - 2 * demands.false_promotions, seed=seed)
    step = demands.difference * max(other, demands.floor)
    return Comparison(
        name=name,
        users=users,
        own=own,
        other=other,
        difference=bootstrap.difference(demands.metric, widened),
        step=step,
        needed=users_needed(_spread(widened, values), step, demands),
    )


def users_needed(spread: float, step: float, demands: Demands) -> int:
    """Return how many users tell a difference of `step` when the paired gap has this standard deviation."""
    normal = NormalDist()
    reach = normal.inv_cdf(1 - demands.false_promotions) + normal.inv_cdf(demands.power)
    return math.ceil((reach * spread / step) ** 2)


def with_two_extreme_users(joint: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add one user whom only the first model serves, and one whom only the second does."""
    widened = joint.copy()
    widened[0, -1] += 1
    widened[-1, 0] += 1
    return widened


def _spread(joint: NDArray[np.int64], values: NDArray[np.float64]) -> float:
    gaps = values[:, None] - values[None, :]
    shares = joint / joint.sum()
    mean = (shares * gaps).sum()
    return float(np.sqrt((shares * (gaps - mean) ** 2).sum()))
