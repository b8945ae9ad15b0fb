"""From raw item ids to places in an item index.

Arrow hashes all items of the index in every look-up, 0.3 s for a million: right for a batch, not for one
request. So a few ids are looked up in a sorted array of 64-bit hashes, made once: 12 bytes an item.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MISSING = -1
# Above this share of the index Arrow's look-up is faster: it costs 0.35 us an item, hashing 1.3 us an id.
FEW = 0.25
HASH_KEYS = ("sequoia-items-01", "sequoia-items-02", "sequoia-items-03")


class ItemPlaces:
    """Finds the place of each id in an array of distinct ids."""

    def __init__(self, items: pa.Array) -> None:
        """Take the ids, a string array without nulls."""
        self._items = items

    def find(self, ids: pa.Array) -> NDArray[np.int64]:
        """Return the place (int64) of each id of a string array; -1 for null and for unknown ids."""
        if len(ids) > FEW * len(self._items):
            places = pc.index_in(ids, value_set=self._items)
            return pc.fill_null(places, MISSING).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]
        return self._find_few(ids)

    def _find_few(self, ids: pa.Array) -> NDArray[np.int64]:
        key, hashes, order = self._sorted
        slots = np.searchsorted(hashes, _hashes(ids, key))
        places = order[np.minimum(slots, len(order) - 1)]
        same = pc.equal(self._items.take(pa.array(places)), ids)
        return np.where(pc.fill_null(same, False).to_numpy(zero_copy_only=False), places, MISSING).astype(
            np.int64
        )

    @cached_property
    def _sorted(self) -> tuple[str, NDArray[np.uint64], NDArray[np.int32]]:
        # Among 15 million ids two have one hash once in 160,000 indexes: then another key parts them.
        for key in HASH_KEYS:
            hashes = _hashes(self._items, key)
            order = np.argsort(hashes).astype(np.int32)
            if (np.diff(hashes[order]) > 0).all():
                return key, hashes[order], order
        raise AssertionError("the item index has an id twice")


def _hashes(ids: pa.Array, key: str) -> NDArray[np.uint64]:
    # Workers that only look up whole batches do without the half second of this import.
    from pandas.util import hash_array

    return hash_array(ids.to_numpy(zero_copy_only=False), hash_key=key, categorize=False)  # type: ignore[no-any-return]
