"""Distinct candidates per user from a weighted vocabulary, none from the user's history.

Draws fall into the cumulated integer weights; what is in the history or was drawn before is passed over. A
user who has too few after DRAWS_PER_CANDIDATE draws for each candidate gets the rest by one exponential race
over what is left (Efraimidis and Spirakis, 2006), which continues the same distribution and ends even when
nearly every item is taken. Items of weight 0 come last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sequoia.negatives.counter_hash import Unsigned, draws, mix, stream_keys

Integers = npt.NDArray[np.int64]

DRAWS_PER_CANDIDATE = 16
# Weights are integers up to this, so that sums are exact: 2^25 items fit into 63 bits.
LARGEST_WEIGHT = 2**38
# Candidates drawn together; in the worst case a few arrays of 14 times this length are alive at once.
BLOCK = 300_000


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """Integer weights of the items 0..n-1 with their running sums."""

    weights: Integers
    cumulated: Unsigned

    @staticmethod
    def from_counts(events: Integers, alpha: float) -> Sampler:
        """Weigh items by events^alpha relative to the most frequent; alpha 0 is uniform."""
        relative = (events / max(int(events.max()), 1)) ** alpha
        weights = np.maximum(np.rint(relative * LARGEST_WEIGHT), relative > 0).astype(np.int64)
        if not weights.any():
            weights += 1
        return Sampler(weights=weights, cumulated=np.cumsum(weights).astype(np.uint64))

    def pick(self, numbers: Unsigned) -> Integers:
        """Return the item each random number falls on."""
        places: Integers = np.searchsorted(self.cumulated, numbers % self.cumulated[-1], side="right")
        return places


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Items of many users: user i owns items[offsets[i]:offsets[i + 1]]."""

    users: Integers
    items: Integers
    offsets: Integers

    def part(self, begin: int, end: int) -> Histories:
        """Return the users begin..end-1."""
        offsets = self.offsets[begin : end + 1]
        items = self.items[offsets[0] : offsets[-1]]
        return Histories(users=self.users[begin:end], items=items, offsets=offsets - offsets[0])


def draw_candidates(
    histories: Histories, sampler: Sampler, *, count: int, seed: int, purpose: int
) -> tuple[Integers, Integers]:
    """Return (items, offsets): per user `count` candidates in the order drawn, or all there are."""
    step = max(1, BLOCK // count)
    parts = [histories.part(at, at + step) for at in range(0, len(histories.users), step)]
    found = [_draw_block(part, sampler, count, stream_keys(seed, part.users, purpose)) for part in parts]
    items = np.concatenate([np.zeros(0, np.int64), *(items for items, _ in found)])
    lengths = np.concatenate([np.zeros(0, np.int64), *(lengths for _, lengths in found)])
    return items, np.concatenate([[0], np.cumsum(lengths)])


def _draw_block(part: Histories, sampler: Sampler, count: int, keys: Unsigned) -> tuple[Integers, Integers]:
    """Return (items by user, candidates per user); inside, user * items + item is one integer."""
    num_items = len(sampler.weights)
    owners = np.repeat(np.arange(len(keys)), np.diff(part.offsets))
    taken = np.unique(owners * num_items + part.items)
    chosen, lengths = np.zeros(0, np.int64), np.zeros(len(keys), np.int64)
    # Most users are done after the first look; the others alone go on with later draws.
    for first, last in ((0, 2 * count), (2 * count, DRAWS_PER_CANDIDATE * count)):
        short = np.flatnonzero(lengths < count)
        picked = sampler.pick(draws(keys[short], first, last - first)) + short[:, None] * num_items
        fresh = _first_occurrences(picked.reshape(-1), np.concatenate([taken, chosen]))
        chosen, lengths = _first_of_each(
            _by_user(np.concatenate([chosen, fresh]), num_items), num_items, count, lengths
        )
    spans = (
        np.searchsorted(ids, np.arange(len(keys) + 1) * num_items)
        for ids in (taken, _floor(chosen, num_items))
    )
    taken_at, chosen_at = spans
    rests = [chosen]
    for user in np.flatnonzero(lengths < count):
        own = (taken[taken_at[user] : taken_at[user + 1]], chosen[chosen_at[user] : chosen_at[user + 1]])
        rest = _race(sampler, np.concatenate(own) - user * num_items, keys[user], count - int(lengths[user]))
        rests.append(rest + user * num_items)
    complete = _by_user(np.concatenate(rests), num_items)
    return complete % num_items, np.bincount(complete // num_items, minlength=len(keys))


def _floor(ids: Integers, num_items: int) -> Integers:
    return ids // num_items * num_items


def _by_user(ids: Integers, num_items: int) -> Integers:
    return ids[np.argsort(ids // num_items, kind="stable")]


def _first_occurrences(picked: Integers, taken: Integers) -> Integers:
    _, places = np.unique(picked, return_index=True)
    firsts = picked[np.sort(places)]
    return firsts[~np.isin(firsts, taken, assume_unique=True)]


def _first_of_each(ids: Integers, num_items: int, count: int, lengths: Integers) -> tuple[Integers, Integers]:
    owners = ids // num_items
    totals = np.bincount(owners, minlength=len(lengths))
    begins = np.cumsum(totals) - totals
    return ids[np.arange(len(ids)) - begins[owners] < count], np.minimum(totals, count)


def _race(sampler: Sampler, own: Integers, key: np.uint64, count: int) -> Integers:
    left = np.setdiff1d(np.arange(len(sampler.weights)), own)
    # The draws so far used key + n * GAMMA; a mixed key starts another stream, numbered by item.
    numbers = draws(mix(np.array([key])), 0, len(sampler.weights))[0][left]
    waiting = -np.log((numbers >> np.uint64(11)).astype(np.float64) / 2**53 + 2**-54)
    with np.errstate(divide="ignore"):
        finish = waiting / sampler.weights[left]
    fastest: Integers = left[np.lexsort((left, waiting, finish))][:count]
    return fastest
