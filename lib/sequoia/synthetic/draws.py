"""Random numbers that are a pure function of (seed, name, number, step), vectorised.

A counter is hashed instead of a state advanced, so that any block of users can be written alone and in any
order.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sequoia.splitmix64 import GAMMA, Unsigned, mix, mix_in_place


@dataclass(frozen=True)
class Draws:
    """Independent streams of random numbers below one seed and scope."""

    seed: int
    scope: str

    def key(self, name: str) -> int:
        """Return the 64-bit key of a named stream."""
        text = f"{self.seed}/{self.scope}/{name}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")

    def bits(self, name: str, numbers: ArrayLike, steps: ArrayLike = 0) -> Unsigned:
        """Return 64 random bits for each (number, step); injective in numbers for a fixed step."""
        start = np.atleast_1d(np.asarray(numbers)).astype(np.uint64) + np.uint64(self.key(name))
        mix_in_place(start)
        return mix(start + np.asarray(steps).astype(np.uint64) * GAMMA)

    def uniform(self, name: str, numbers: ArrayLike, steps: ArrayLike = 0) -> NDArray[np.float64]:
        """Return a float64 in [0, 1) for each (number, step)."""
        return (self.bits(name, numbers, steps) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, bound: int, name: str, numbers: ArrayLike, steps: ArrayLike = 0) -> NDArray[np.int64]:
        """Return an int64 in [0, bound) for each (number, step)."""
        return (self.uniform(name, numbers, steps) * bound).astype(np.int64)
