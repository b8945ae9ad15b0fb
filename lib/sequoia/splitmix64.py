"""The hash below every hash of the project, and random numbers as a function of their place.

splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) maps 64 bits to
64 bits one to one, with NumPy's arithmetic modulo 2^64. No generator carries a state from one user to the
next, so neither the order of rows nor their partitions matter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Unsigned = npt.NDArray[np.uint64]

GAMMA = np.uint64(0x9E3779B97F4A7C15)  # the step of its counter
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)


def mix(bits: Unsigned) -> Unsigned:
    """Scramble 64-bit numbers, one to one; the array given is left as it is."""
    mixed = bits.copy()
    mix_in_place(mixed)
    return mixed


def mix_in_place(bits: Unsigned) -> None:
    """Scramble 64-bit numbers where they lie: one temporary array instead of five."""
    shifted = bits >> np.uint64(30)
    bits ^= shifted
    bits *= FIRST_FACTOR
    np.right_shift(bits, np.uint64(27), out=shifted)
    bits ^= shifted
    bits *= SECOND_FACTOR
    np.right_shift(bits, np.uint64(31), out=shifted)
    bits ^= shifted


def stream_keys(seed: int, streams: npt.NDArray[np.int64], purpose: int) -> Unsigned:
    """Return one key per stream (a user) for a purpose (a split and sampler); shape (streams,)."""
    start = mix(np.array([seed], dtype=np.uint64) + GAMMA)
    of_stream = mix((start ^ streams.astype(np.uint64)) + GAMMA)
    return mix((of_stream ^ np.uint64(purpose)) + GAMMA)


def draws(keys: Unsigned, first: int, count: int) -> Unsigned:
    """Return draws number first to first + count - 1 of every stream; shape (streams, count)."""
    numbers = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    bits: Unsigned = keys[:, None] + numbers * GAMMA
    mix_in_place(bits)
    return bits
