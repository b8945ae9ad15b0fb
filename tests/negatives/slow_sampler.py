"""The candidates one user and one draw at a time, in plain Python: what the fast sampler must give."""

from __future__ import annotations

import math

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
    if alpha == 0 or not any(events):
        return [1] * len(events)
    relative = [(count / max(events)) ** alpha for count in events]
    return [max(round(share / sum(relative) * 2**38), 1 if share > 0 else 0) for share in relative]


def cells(weights: list[int]) -> list[tuple[int, int]]:
    """Return of each item the threshold of its cell, of 2^32, and its alias, by a sweep over the items."""
    count, total = len(weights), sum(weights)
    own = [weight * count for weight in weights]
    light = [item for item in range(count) if own[item] < total]
    heavy = [item for item in range(count) if own[item] >= total]
    alias = list(range(count))
    left = own[heavy[0]]
    while light or heavy:
        if heavy and left <= total:
            item = heavy.pop(0)
            own[item] = left
            if heavy:
                alias[item] = heavy[0]
                left += own[heavy[0]] - total
        elif light:
            item = light.pop(0)
            alias[item] = heavy[0]
            left -= total - own[item]
    thresholds = [int(share / total * 2.0**32) for share in own]
    return [
        (2**32 - 1, item) if own[item] >= total else (thresholds[item], alias[item]) for item in range(count)
    ]


def pick(number: int, weights: list[int]) -> int:
    place = (number >> 11) * (len(weights) / 2**53)
    cell = int(place)
    if len(set(weights)) == 1 and weights[0] == 1:
        return cell
    threshold, alias = cells(weights)[cell]
    return cell if (place - cell) * 2**32 < threshold else alias


def candidates(key: int, weights: list[int], history: set[int], count: int) -> list[int]:
    found: list[int] = []
    for number in range(DRAWS_PER_CANDIDATE * count):
        item = pick(draw(key, number), weights)
        if len(found) < count and item not in history and item not in found:
            found.append(item)
    race = mix(key)
    finish = {}
    for item, weight in enumerate(weights):
        waiting = -math.log((draw(race, item) >> 11) / 2**53 + 2**-54)
        finish[item] = (waiting / weight if weight else math.inf, waiting, item)
    left = [item for item in range(len(weights)) if item not in history and item not in found]
    return found + sorted(left, key=finish.__getitem__)[: count - len(found)]
