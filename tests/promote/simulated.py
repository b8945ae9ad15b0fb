"""Two models whose true quality is known, on simulated users, before the whole gate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sequoia.config import load_config
from sequoia.evaluate.bootstrap import Interval
from sequoia.evaluate.metrics import BUCKETS
from sequoia.promote.comparison import Demands, compare, users_needed
from sequoia.promote.rules import Champion, Evidence, Seen, judge

FIRST, MISS = 0, BUCKETS - 1
DEMANDS = Demands(metric="hr@10", difference=0.05, power=0.8, false_promotions=0.05, floor=0.001)
SETTINGS = load_config(overrides=["promote.metric=hr@10"]).promote
NO_RAILS = SETTINGS.guard_rails.model_copy(
    update=dict.fromkeys(("coverage", "popularity", "latency", "size", "new_users", "cold_items"))
)
GATE = SETTINGS.model_copy(update={"guard_rails": NO_RAILS})


def joint(
    random: np.random.Generator, users: int, own: float, other: float, both: float
) -> NDArray[np.int64]:
    """Draw users: hits of the first model have rate `own`, of the second `other`, of both `both`."""
    shares = [both, own - both, other - both, 1 - own - other + both]
    hit_hit, hit_miss, miss_hit, miss_miss = random.multinomial(users, shares)
    counts = np.zeros((BUCKETS, BUCKETS), dtype=np.int64)
    counts[FIRST, FIRST], counts[FIRST, MISS] = hit_hit, hit_miss
    counts[MISS, FIRST], counts[MISS, MISS] = miss_hit, miss_miss
    return counts


def passes(counts: NDArray[np.int64], *, first: bool, fresher: bool = False) -> bool:
    """Ask the whole gate: against counting for a first champion, else against a champion."""
    opponent = "counting" if first else "champion"
    other = compare(opponent, counts, DEMANDS, samples=400, seed=3)
    nothing = Seen(leaked=0, untold=0, users=other.users)
    champion = Champion(
        comparison=other, seen=nothing, fresher=fresher, until="2018-10-01", rails=[], slices=[]
    )
    evidence = Evidence(
        challenger="sasrec",
        metric=Interval(value=other.own, low=other.own, high=other.own),
        seen=nothing,
        until="2018-10-02",
        baseline=other if first else None,
        champion=None if first else champion,
    )
    return all(verdict.passed for verdict in judge(evidence, GATE))


def users_it_takes(own: float, other: float, both: float) -> int:
    """Return how many users tell 5 % of the opponent's rate, from the true rates."""
    spread = math.sqrt(own + other - 2 * both - (own - other) ** 2)
    return math.ceil(users_needed(spread, DEMANDS.difference * other, DEMANDS))


def share_passed(
    users: int, own: float, other: float, both: float, *, first: bool, fresher: bool, trials: int
) -> float:
    """Return the share of trials in which the challenger passes."""
    random = np.random.default_rng(users)
    draws = (joint(random, users, own, other, both) for _ in range(trials))
    return sum(passes(counts, first=first, fresher=fresher) for counts in draws) / trials
