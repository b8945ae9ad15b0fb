"""Random numbers that are a pure function of (seed, name, number, step), vectorised.

A counter is hashed instead of a state advanced, so that any block of users can be written alone and in any
order. The hash is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), a bijection of 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers, one to one."""
    # In place: three temporaries less an operation, and half the corpus's time goes by here.
    shifted = bits >> np.uint64(30)
    mixed = bits ^ shifted
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(mixed, np.uint64(27), out=shifted)
    mixed ^= shifted
    mixed *= np.uint64(0x94D049BB133111EB)
    np.right_shift(mixed, np.uint64(31), out=shifted)
    mixed ^= shifted
    return mixed


@dataclass(frozen=True)
class Draws:
    """Independent streams of random numbers below one seed and scope."""

    seed: int
    scope: str

    def key(self, name: str) -> int:
        """Return the 64-bit key of a named stream."""
        text = f"{self.seed}/{self.scope}/{name}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")

    def bits(self, name: str, numbers: ArrayLike, steps: ArrayLike = 0) -> NDArray[np.uint64]:
        """Return 64 random bits for each (number, step); injective in numbers for a fixed step."""
        start = np.atleast_1d(np.asarray(numbers)).astype(np.uint64) + np.uint64(self.key(name))
        mixed = mix(start)
        return mix(mixed + np.asarray(steps).astype(np.uint64) * GOLDEN)

    def uniform(self, name: str, numbers: ArrayLike, steps: ArrayLike = 0) -> NDArray[np.float64]:
        """Return a float64 in [0, 1) for each (number, step)."""
        return (self.bits(name, numbers, steps) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, bound: int, name: str, numbers: ArrayLike, steps: ArrayLike = 0) -> NDArray[np.int64]:
        """Return an int64 in [0, bound) for each (number, step)."""
        return (self.uniform(name, numbers, steps) * bound).astype(np.int64)
