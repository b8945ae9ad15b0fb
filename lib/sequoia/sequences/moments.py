"""The order of a user's events, those of one moment too, and which of them count."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.order import Integers, order_events, run_starts
from sequoia.buckets.strings import hash_strings
from sequoia.splitmix64 import GAMMA, mix

Ties = Literal["shuffled", "item"]


def order_moments(
    user: pa.DictionaryArray, item: pa.DictionaryArray, times: Integers, *, ties: Ties, seed: int
) -> Integers:
    """Return the order of a piece's events: by user as they come, time, and within a moment by the ties.

    shuffled: by a hash of seed, item and user, so that no order of ids or files leaks into sequences; item:
    by raw item id. The events are in the order of a piece.
    """
    codes, places = user.indices.to_numpy(), item.indices.to_numpy()
    if ties == "item":
        rank = np.empty(len(item.dictionary), dtype=np.int32)
        rank[pc.sort_indices(item.dictionary).to_numpy()] = np.arange(len(rank))
        return order_events(codes, times, rank[places])
    order = np.arange(len(codes))
    same = ~run_starts(codes, times)
    tied = np.flatnonzero(same | np.append(same, False)[1:])
    users, items = hash_strings(user.dictionary).first, hash_strings(item.dictionary).first
    start = mix(np.array([seed], dtype=np.uint64) + GAMMA)
    of_items = mix((items[places[tied]] ^ start) + GAMMA)
    shuffled = mix((of_items ^ users[codes[tied]]) + GAMMA)
    order[tied] = tied[np.lexsort((places[tied], shuffled, times[tied], codes[tied]))]
    return order


def first_only(order: Integers, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> Integers:
    """Keep of each item of a user the earliest event of an order."""
    by_item = np.lexsort((np.arange(len(order)), items[order], users[order]))
    first = run_starts(users[order][by_item], items[order][by_item])
    kept: Integers = order[np.sort(by_item[first])]
    return kept
