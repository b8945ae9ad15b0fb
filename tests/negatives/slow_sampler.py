"""The candidates one user and one draw at a time, in plain Python: what the fast sampler must give."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15
DRAWS_PER_CANDIDATE = 16


def mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def stream_key(seed: int, user: int, purpose: int) -> int:
    key = mix((seed + GAMMA) & MASK)
    for part in (user, purpose):
        key = mix(((key ^ part) + GAMMA) & MASK)
    return key


def draw(key: int, number: int) -> int:
    return mix((key + (number + 1) * GAMMA) & MASK)


def weigh(events: list[int], alpha: float) -> list[int]:
    most = max(*events, 1)
    relative = [(count / most) ** alpha for count in events]
    return [max(round(share * 2**38), 1 if share > 0 else 0) for share in relative]


def candidates(key: int, weights: list[int], history: set[int], count: int) -> list[int]:
    cumulated = list(accumulate(weights))
    found: list[int] = []
    for number in range(DRAWS_PER_CANDIDATE * count):
        item = bisect_right(cumulated, draw(key, number) % cumulated[-1])
        if len(found) < count and item not in history and item not in found:
            found.append(item)
    race = mix(key)
    finish = {}
    for item, weight in enumerate(weights):
        waiting = -math.log((draw(race, item) >> 11) / 2**53 + 2**-54)
        finish[item] = (waiting / weight if weight else math.inf, waiting, item)
    left = [item for item in range(len(weights)) if item not in history and item not in found]
    return found + sorted(left, key=finish.__getitem__)[: count - len(found)]
