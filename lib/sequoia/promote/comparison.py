"""One model against another on the same users: how far apart, how sure, how many users it takes (numpy only).

The difference is the mean over users of the metric's paired gap, its interval the percentile bootstrap over
users. A handful of users who all agree would leave an interval of width zero and prove anything, so two
made-up users are added, one whom each model serves and the other fails at the extremes of the metric (the
idea of Agresti and Min, 2005, for matched pairs). With thousands of users they do not matter, with twenty
they keep the gate shut.

How many users it takes is the usual plan for a paired comparison: to tell a difference d with one-sided
error a and power p takes ((z(1-a) + z(p)) * s / d)^2 users, where s is the standard deviation of the gap.
Both s and d are estimates: with just as many users as it takes, every second estimate would ask for more than
there are, and half of the power would be lost. Its lower end is therefore kept, too, from the same bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sequoia.evaluate.bootstrap import Bootstrap, Interval
from sequoia.evaluate.metrics import bucket_values

Values = NDArray[np.float64]

# So often an estimate of the users needed is lower: what asking for so many costs in power.
LEAST = 0.01
# Of the misses allowed, the plan's share: the others go to that, to the made-up users and to the coarse steps
# of a hit rate, as the simulation in tests/promote shows.
MISSES = 0.75


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
    intervals. step: the difference asked for, in the metric's own units. needed: users it takes to see that,
    needed_least: the lower end of that estimate.
    """

    name: str
    users: int
    own: float
    other: float
    difference: Interval
    step: float
    needed: int
    needed_least: int

    def figures(self) -> dict[str, float]:
        """Return the numbers for the audit."""
        gap = self.difference
        return {
            "users": self.users,
            "users_needed": self.needed,
            "users_needed_least": self.needed_least,
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
    cells = np.nonzero(widened)
    shares = np.vstack([widened[cells] / widened.sum(), bootstrap.resamples(widened[cells])])
    needed, *estimates = _users_needed(shares, values[cells[0]], values[cells[1]], demands)
    return Comparison(
        name=name,
        users=users,
        own=own,
        other=other,
        difference=bootstrap.difference(demands.metric, widened),
        step=step,
        needed=math.ceil(needed),
        needed_least=math.ceil(np.quantile(estimates, LEAST)),
    )


def users_needed(spread: float, step: float, demands: Demands) -> float:
    """Return how many users tell a difference of `step` when the paired gap has this standard deviation.

    The plan allows for fewer misses than asked for, so that what is asked for is kept: see MISSES.
    """
    normal = NormalDist()
    power = 1 - MISSES * (1 - demands.power)
    reach = normal.inv_cdf(1 - demands.false_promotions) + normal.inv_cdf(power)
    return (reach * spread / step) ** 2


def with_two_extreme_users(joint: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add one user whom only the first model serves, and one whom only the second does."""
    widened = joint.copy()
    widened[0, -1] += 1
    widened[-1, 0] += 1
    return widened


def _users_needed(shares: Values, own: Values, other: Values, demands: Demands) -> list[float]:
    """Return the users needed by each row of shares (n, cells); own and other are the metric in each cell."""
    gaps = own - other
    spreads = np.sqrt(np.maximum(shares @ gaps**2 - (shares @ gaps) ** 2, 0.0))
    steps = demands.difference * np.maximum(shares @ other, demands.floor)
    return [users_needed(spread, step, demands) for spread, step in zip(spreads, steps, strict=True)]
