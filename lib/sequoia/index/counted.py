"""Keys of one range of hashes with their events, and the ids that an index has given them already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.groups import group
from sequoia.buckets.strings import Hashes, hash_strings, take_strings

# 0 is padding and 1 the unknown key.
FIRST_ID = 2
NO_ID = -1

Integers = npt.NDArray[np.int64]


def count_keys(keys: pa.StringArray, events: Integers, hashes: Hashes, known: pa.Table) -> pa.Table:
    """Sum the events of equal keys and find their ids: (key, id, events), in the order of the hashes.

    known: key and id of an index; a key that no event has any more has 0, a key that is new the id NO_ID.
    """
    old = one_chunk(known.column("key"))
    of_old = hash_strings(old)
    both = Hashes(
        first=np.concatenate([of_old.first, hashes.first]),
        second=np.concatenate([of_old.second, hashes.second]),
    )
    found = group(both)
    codes = found.of_rows()
    ids = np.full(len(found.firsts), NO_ID, dtype=np.int64)
    ids[codes[: len(old)]] = known.column("id").to_numpy()
    sums = np.bincount(codes[len(old) :], weights=events, minlength=len(ids)).astype(np.int64)
    names = take_strings(pa.concat_arrays([old, keys]), found.firsts)
    return pa.table({"key": names, "id": ids, "events": sums})


def number_from(first: int, ids: Integers, order: Integers | None = None) -> Integers:
    """Give the next free ids to keys without one, in the given order of all keys or in theirs."""
    numbered = ids.copy()
    places = np.arange(len(ids)) if order is None else order
    fresh = places[ids[places] == NO_ID]
    numbered[fresh] = np.arange(first, first + len(fresh))
    return numbered


def by_events(events: Integers, ties: Sequence[npt.NDArray[np.generic]] = ()) -> Integers:
    """Return the order of keys by events, most first, and among equals by the ties or as they stand."""
    order: Integers = np.lexsort((*ties, -events)).astype(np.int64)
    return order
