"""Places of strings in a sorted list of others, by their hashes: the join that no string takes part in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sequoia.buckets.strings import Hashes

MISSING = -1


def find(known: Hashes, wanted: Hashes) -> npt.NDArray[np.int64]:
    """Return the place of each wanted string among the known ones, MISSING where it is none of them.

    known: in the order of `group`, each once.
    """
    places = np.searchsorted(known.first, wanted.first)
    found = np.full(len(wanted), MISSING, dtype=np.int64)
    open_ones = np.arange(len(wanted))
    while len(open_ones):
        at = places[open_ones]
        inside = at < len(known)
        open_ones, at = open_ones[inside], at[inside]
        same = known.first[at] == wanted.first[open_ones]
        open_ones, at = open_ones[same], at[same]
        hit = known.second[at] == wanted.second[open_ones]
        found[open_ones[hit]] = at[hit]
        # First hashes that collide stand side by side.
        open_ones = open_ones[~hit]
        places[open_ones] += 1
    return found
