"""Distinct candidates per user from a weighted vocabulary, none from the user's history.

Draws come one after the other; what is in the history or was drawn before is passed over. A user who has too
few after DRAWS_PER_CANDIDATE draws for each candidate gets the rest by one exponential race over what is left
(Efraimidis and Spirakis, 2006), which continues the same distribution and ends even when nearly every item is
taken. Items of weight 0 come last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sequoia.negatives.counter_hash import Unsigned, draws, mix, stream_keys
from sequoia.negatives.weights import Integers, Sampler

DRAWS_PER_CANDIDATE = 16
# Draws that are looked at together: their arrays stay in a core's own cache.
BLOCK = 32_000
NOTHING = -1

Matrix = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Items of many users: user i owns items[offsets[i]:offsets[i + 1]]."""

    users: Integers
    items: Integers
    offsets: Integers


def draw_candidates(
    histories: Histories, sampler: Sampler, *, count: int, seed: int, purpose: int
) -> tuple[Integers, Integers]:
    """Return (items, offsets): per user `count` candidates in the order drawn, or all there are."""
    lengths = np.diff(histories.offsets)
    # Users with histories of one length are drawn for together: each is compared with its own items alone.
    order = np.argsort(lengths, kind="stable")
    found = np.empty((len(order), count), dtype=np.int64)
    sizes = np.full(len(order), count)
    step = max(1, BLOCK // _spare(count))
    for start in range(0, len(order), step):
        users = order[start : start + step]
        own = _own(histories, users, lengths[users])
        found[users], sizes[users] = _draw_block(
            sampler, own, stream_keys(seed, histories.users[users], purpose), count
        )
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    whole = found.reshape(-1) if bounds[-1] == found.size else found[np.arange(count) < sizes[:, None]]
    return whole, bounds


def _spare(count: int) -> int:
    """Return the draws after which most users have their candidates."""
    return count + max(8, count // 8)


def _own(histories: Histories, users: Integers, lengths: Integers) -> Matrix:
    """Return the histories of users as rows of one length, filled up with NOTHING."""
    slots = np.arange(int(lengths.max(initial=0)))
    places = histories.offsets[users][:, None] + slots
    inside = slots < lengths[:, None]
    return np.where(inside, histories.items[np.where(inside, places, 0)] if places.size else places, NOTHING)


def _draw_block(sampler: Sampler, own: Matrix, keys: Unsigned, count: int) -> tuple[Matrix, Integers]:
    """Return candidates, and how many each user has; most are done after few draws, the others go on."""
    found = np.empty((len(keys), count), dtype=np.int64)
    sizes = np.full(len(keys), count)
    left = np.arange(len(keys))
    for first_draws in (_spare(count), 4 * _spare(count)):
        done, chosen = _draw_rows(sampler, own[left], keys[left], count, first_draws)
        found[left[done]] = chosen
        left = left[~done]
        if not len(left):
            return found, sizes
    for row in left.tolist():
        chosen = _draw_one(sampler, np.unique(own[row][own[row] != NOTHING]), keys[row : row + 1], count)
        sizes[row] = len(chosen)
        found[row, : len(chosen)] = chosen
    return found, sizes


def _draw_rows(
    sampler: Sampler, own: Matrix, keys: Unsigned, count: int, first_draws: int
) -> tuple[Flags, Matrix]:
    """Return which users have enough candidates among so many draws, and those of these users."""
    picked = sampler.pick(draws(keys, 0, first_draws))
    passed = np.zeros(picked.shape, dtype=bool)
    for column in range(own.shape[1]):
        passed |= picked == own[:, column : column + 1]
    bits = first_draws.bit_length()
    inorder = (picked << bits) | np.arange(first_draws)
    inorder.sort(axis=1)
    repeats = (inorder[:, 1:] ^ inorder[:, :-1]) < (1 << bits)
    row, place = np.nonzero(repeats)
    passed[row, inorder[row, place + 1] & ((1 << bits) - 1)] = True
    done = ~passed.any(axis=1)
    found = picked[:, :count]
    some = np.flatnonzero(~done)
    if len(some):
        fresh = ~passed[some]
        nth = np.cumsum(fresh, axis=1)
        enough = nth[:, -1] >= count
        found = found.copy()
        found[some[enough]] = picked[some[enough]][(fresh & (nth <= count))[enough]].reshape(-1, count)
        done[some[enough]] = True
    return done, found[done]


def _draw_one(sampler: Sampler, own: Integers, key: Unsigned, count: int) -> Integers:
    """Return the candidates of one user by all draws that there are, and the race after them."""
    picked = sampler.pick(draws(key, 0, DRAWS_PER_CANDIDATE * count))[0]
    _, first = np.unique(picked, return_index=True)
    fresh = picked[np.sort(first)]
    chosen: Integers = fresh[~np.isin(fresh, own)][:count]
    if len(chosen) == count:
        return chosen
    rest = _race(sampler, np.concatenate([own, chosen]), key[0], count - len(chosen))
    return np.concatenate([chosen, rest])


def _race(sampler: Sampler, own: Integers, key: np.uint64, count: int) -> Integers:
    left = np.setdiff1d(np.arange(len(sampler.weights)), own)
    # The draws so far used key + n * GAMMA; a mixed key starts another stream, numbered by item.
    numbers = draws(mix(np.array([key])), 0, len(sampler.weights))[0][left]
    waiting = -np.log((numbers >> np.uint64(11)).astype(np.float64) / 2**53 + 2**-54)
    with np.errstate(divide="ignore"):
        finish = waiting / sampler.weights[left]
    fastest: Integers = left[np.lexsort((left, waiting, finish))][:count]
    return fastest
