"""Which item a random number falls on, in constant time whatever their number: Walker's alias method (1977).

Each item has one cell of equal width; a cell belongs to its item up to a threshold and above it to another,
its alias. The table is built by one sweep over light and heavy items (Huebschle-Schneider and Sanders,
"Parallel Weighted Random Sampling", 2019), here as sums and searches without a loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sequoia.splitmix64 import Unsigned

Integers = npt.NDArray[np.int64]

# Weights add up to about this: with 2^24 items the sums of the sweep stay below 2^63.
TOTAL_WEIGHT = 2**38
WHOLE = 2**32 - 1
# Up to which place, of 2^32, a cell is its item's own, and whose it is above. Side by side: one look.
CELL = np.dtype([("threshold", np.uint32), ("alias", np.int32)])


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """Integer weights of the items 0..n-1, and their cells, of CELL; None where all items weigh the same."""

    weights: Integers
    cells: npt.NDArray[np.void] | None

    @cached_property
    def drawable(self) -> Integers:
        """Return the items with a weight."""
        return np.flatnonzero(self.weights > 0)

    @staticmethod
    def from_counts(events: Integers, alpha: float) -> Sampler:
        """Weigh items by events^alpha; alpha 0 is uniform. An item of no weight is never drawn."""
        if alpha == 0 or not events.any():
            return Sampler(weights=np.ones(len(events), dtype=np.int64), cells=None)
        relative = (events / events.max()) ** alpha
        shares = relative / relative.sum()
        weights = np.maximum(np.rint(shares * TOTAL_WEIGHT), relative > 0).astype(np.int64)
        return Sampler(weights=weights, cells=_cells(weights))

    def pick(self, numbers: Unsigned) -> npt.NDArray[np.int32]:
        """Return the item each random number of 64 bits falls on.

        Its upper 53 bits, as a share of n, are the cell before the point and the place in it behind: no item
        is favoured by more than one number in 2^53.
        """
        place = (numbers >> np.uint64(11)).astype(np.float64)
        place *= len(self.weights) * 2.0**-53
        own = place.astype(np.int32)
        if self.cells is None:
            return own
        place -= own
        place *= 2.0**32
        cells = np.take(self.cells, own, mode="clip")
        return np.where(place < cells["threshold"], own, cells["alias"])


def _cells(weights: Integers) -> npt.NDArray[np.void]:
    count, total = len(weights), int(weights.sum())
    surplus = weights * count - total
    light, heavy = np.flatnonzero(surplus < 0), np.flatnonzero(surplus >= 0)
    needed, given = np.cumsum(-surplus[light]), np.cumsum(surplus[heavy])
    own = np.empty(count, dtype=np.int64)  # of each cell, out of `total`
    alias = np.arange(count)
    own[light] = weights[light] * count
    before = needed + surplus[light]
    alias[light] = heavy[np.searchsorted(given, before, side="right")]
    if len(light):
        # A heavy item has given away more than its surplus when a light one takes the sum past it: the next
        # heavy item fills its cell.
        last = np.searchsorted(needed, given, side="left")
        own[heavy] = total - (needed[np.minimum(last, len(light) - 1)] - given)
        alias[heavy[:-1]] = heavy[1:]
    else:
        own[heavy] = total
    whole = own >= total
    alias[whole] = np.flatnonzero(whole)
    cells = np.empty(count, dtype=CELL)
    cells["threshold"] = np.where(whole, WHOLE, np.floor(own / total * 2.0**32))
    cells["alias"] = alias
    return cells
