"""Distinct candidates per user from a weighted vocabulary, none from the user's history.

Draws come one after the other; what is in the history or was drawn before is passed over. A user who has too
few after DRAWS_PER_CANDIDATE draws for each candidate gets the rest by one exponential race over what is left
(Efraimidis and Spirakis, 2006), which continues the same distribution and ends even when nearly every item is
taken. Items of weight 0 come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sequoia.buckets.order import run_starts
from sequoia.negatives.weights import Integers, Sampler
from sequoia.splitmix64 import GAMMA, Unsigned, draws, mix, stream_keys

DRAWS_PER_CANDIDATE = 16
# Draws that are looked at together: their arrays stay in a core's own cache.
BLOCK = 32_000

Matrix = npt.NDArray[np.int64]
Drawn = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Items of many users: user i owns items[offsets[i]:offsets[i + 1]]."""

    users: Integers
    items: Integers
    offsets: Integers


def draw_candidates(
    histories: Histories, sampler: Sampler, *, count: int, seed: int, purpose: int
) -> tuple[Drawn, Integers]:
    """Return (items, offsets): per user `count` candidates in the order drawn, or all there are."""
    lengths = np.diff(histories.offsets)
    # Users with histories of one length are drawn for together: each is compared with its own items alone.
    order = np.argsort(lengths, kind="stable")
    found = np.empty((len(order), count), dtype=np.int32)
    sizes = np.full(len(order), count)
    step = max(1, BLOCK // _spare(count))
    for start in range(0, len(order), step):
        users = order[start : start + step]
        own = _own(histories, users, lengths[users], len(sampler.weights))
        found[users], sizes[users] = _draw_block(
            sampler, own, stream_keys(seed, histories.users[users], purpose), count
        )
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    whole = found.reshape(-1) if bounds[-1] == found.size else found[np.arange(count) < sizes[:, None]]
    return whole, bounds


def _spare(count: int) -> int:
    """Return the draws after which most users have their candidates."""
    return count + max(8, count // 8)


def _own(histories: Histories, users: Integers, lengths: Integers, nothing: int) -> Matrix:
    """Return the histories of users as rows of one length, filled up with the item that is none."""
    slots = np.arange(int(lengths.max(initial=0)))
    places = histories.offsets[users][:, None] + slots
    if lengths[0] == lengths[-1]:
        return histories.items[places] if places.size else places
    inside = slots < lengths[:, None]
    return np.where(inside, histories.items[np.where(inside, places, 0)], nothing)


def _draw_block(sampler: Sampler, own: Matrix, keys: Unsigned, count: int) -> tuple[Drawn, Integers]:
    """Return candidates, and how many each user has; most are done after few draws, the others go on."""
    found = np.empty((len(keys), count), dtype=np.int32)
    sizes = np.full(len(keys), count)
    left = np.arange(len(keys))
    for first_draws in (_spare(count), 4 * _spare(count)):
        done, chosen = _draw_rows(sampler, own[left], keys[left], count, first_draws)
        found[left[done]] = chosen
        left = left[~done]
        if not len(left):
            return found, sizes
    for row in left.tolist():
        history = np.unique(own[row][own[row] < len(sampler.weights)])
        rest = _draw_one(sampler, history, keys[row : row + 1], count)
        sizes[row] = len(rest)
        found[row, : len(rest)] = rest
    return found, sizes


def _draw_rows(
    sampler: Sampler, own: Matrix, keys: Unsigned, count: int, first_draws: int
) -> tuple[Flags, Drawn]:
    """Return which users have enough candidates among so many draws, and those of these users."""
    picked = sampler.pick(draws(keys, 0, first_draws))
    row, place = _passed_over(picked, own, len(sampler.weights))
    if not len(row):
        return np.ones(len(keys), dtype=bool), picked[:, :count]
    new = run_starts(row)
    some = row[new]
    fresh = np.ones((len(some), first_draws), dtype=bool)
    fresh[np.cumsum(new) - 1, place] = False
    nth = np.cumsum(fresh, axis=1, dtype=np.int32)
    enough = nth[:, -1] >= count
    done = np.ones(len(keys), dtype=bool)
    done[some[~enough]] = False
    found = picked[:, :count].copy()
    found[some[enough]] = picked[some[enough]][(fresh & (nth <= count))[enough]].reshape(-1, count)
    return done, found[done]


def _passed_over(picked: Drawn, own: Matrix, items: int) -> tuple[Places, Places]:
    """Return the (row, draw) whose item is in the history or was drawn before, rows ascending.

    One sort tells: of item and number of the draw, where the history counts as draw 0.
    """
    first_draws, held = picked.shape[1], own.shape[1]
    bits = first_draws.bit_length()
    kind = np.uint32 if (items + 1) << bits <= 1 << 32 else np.uint64
    keyed: npt.NDArray[Any] = np.empty((len(picked), held + first_draws), dtype=kind)
    keyed[:, :held] = own
    keyed[:, held:] = picked
    keyed <<= kind(bits)
    keyed[:, held:] |= np.arange(1, first_draws + 1, dtype=kind)
    keyed.sort(axis=1)
    again = np.flatnonzero((keyed[:, 1:] ^ keyed[:, :-1]) < kind(1 << bits))
    row, column = np.divmod(again, held + first_draws - 1)
    draw = (keyed[row, column + 1] & kind((1 << bits) - 1)).astype(np.int64)
    return row[draw > 0], draw[draw > 0] - 1


def _draw_one(sampler: Sampler, own: Integers, key: Unsigned, count: int) -> Integers:
    """Return the candidates of one user by all draws that there are, and the race after them."""
    picked = sampler.pick(draws(key, 0, DRAWS_PER_CANDIDATE * count))[0].astype(np.int64)
    _, first = np.unique(picked, return_index=True)
    fresh = picked[np.sort(first)]
    chosen: Integers = fresh[~np.isin(fresh, own)][:count]
    if len(chosen) == count:
        return chosen
    rest = _race(sampler, np.concatenate([own, chosen]), key[0], count - len(chosen))
    return np.concatenate([chosen, rest])


def _race(sampler: Sampler, own: Integers, key: np.uint64, count: int) -> Integers:
    """Return the items that finish first of those with a weight; those without come after all others."""
    # The draws so far used key + n * GAMMA; a mixed key starts another stream, numbered by item.
    start = mix(np.array([key]))
    first = _fastest(sampler.drawable, own, start, sampler.weights, count)
    if len(first) == count:
        return first
    others = np.flatnonzero(sampler.weights == 0)
    alike = np.ones(len(sampler.weights), dtype=np.int64)
    return np.concatenate([first, _fastest(others, own, start, alike, count - len(first))])


def _fastest(items: Integers, own: Integers, start: Unsigned, weights: Integers, count: int) -> Integers:
    left = items[~np.isin(items, own)]
    numbers = mix(start + (left + 1).astype(np.uint64) * GAMMA)
    waiting = -np.log((numbers >> np.uint64(11)).astype(np.float64) / 2**53 + 2**-54)
    finish = waiting / weights[left]
    if 0 < count < len(left):
        near = finish <= np.partition(finish, count - 1)[count - 1]
        left, waiting, finish = left[near], waiting[near], finish[near]
    fastest: Integers = left[np.lexsort((left, waiting, finish))][:count]
    return fastest
