"""Which item a random number falls on, in constant time whatever their number: Walker's alias method (1977).

Each item has one cell of equal width; a cell belongs to its item up to a threshold and above it to another,
its alias. The table is built by one sweep over light and heavy items (Huebschle-Schneider and Sanders,
"Parallel Weighted Random Sampling", 2019), here as sums and searches without a loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sequoia.negatives.counter_hash import Unsigned

Integers = npt.NDArray[np.int64]

# Weights add up to about this: with 2^24 items the sums of the sweep stay below 2^63.
TOTAL_WEIGHT = 2**38
HALF = np.uint64(32)
LOWER = np.uint64(2**32 - 1)


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """Integer weights of the items 0..n-1, and their cells: threshold in the upper half, alias in the lower.

    cells is None where all items weigh the same.
    """

    weights: Integers
    cells: Unsigned | None

    @staticmethod
    def from_counts(events: Integers, alpha: float) -> Sampler:
        """Weigh items by events^alpha; alpha 0 is uniform. An item of no weight is never drawn."""
        if alpha == 0 or not events.any():
            return Sampler(weights=np.ones(len(events), dtype=np.int64), cells=None)
        relative = (events / events.max()) ** alpha
        shares = relative / relative.sum()
        weights = np.maximum(np.rint(shares * TOTAL_WEIGHT), relative > 0).astype(np.int64)
        return Sampler(weights=weights, cells=_cells(weights))

    def pick(self, numbers: Unsigned) -> Integers:
        """Return the item each random number of 64 bits falls on.

        The number times n is the cell, above, and the place in it, below: no item is favoured by more than
        one number in 2^64.
        """
        count = np.uint64(len(self.weights))
        lower = (numbers & LOWER) * count
        cell = ((numbers >> HALF) * count + (lower >> HALF)) >> HALF
        if self.cells is None:
            return cell.view(np.int64)
        found = np.take(self.cells, cell.view(np.int64), mode="clip")
        inside = ((numbers * count) >> HALF) < (found >> HALF)
        found &= LOWER
        np.copyto(found, cell, where=inside)
        return found.view(np.int64)


def _cells(weights: Integers) -> Unsigned:
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
    threshold = np.floor(own / total * 2.0**32).astype(np.uint64)
    whole = own >= total
    threshold[whole], alias[whole] = LOWER, np.flatnonzero(whole)
    cells: Unsigned = (threshold << HALF) | alias.astype(np.uint64)
    return cells
