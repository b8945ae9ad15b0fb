"""Random numbers as a function of their place: splitmix64 on counters (Steele, Lea, Flood, OOPSLA 2014).

No generator carries a state from one user to the next, so neither the order of rows nor their partitions
matter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Unsigned = npt.NDArray[np.uint64]

GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)


def mix(values: Unsigned) -> Unsigned:
    """Scramble 64-bit integers: the output function of splitmix64 (modulo 2^64 throughout)."""
    mixed = values >> np.uint64(30)
    mixed ^= values
    mixed *= FIRST_FACTOR
    shifted = mixed >> np.uint64(27)
    mixed ^= shifted
    mixed *= SECOND_FACTOR
    np.right_shift(mixed, np.uint64(31), out=shifted)
    mixed ^= shifted
    return mixed


def stream_keys(seed: int, streams: npt.NDArray[np.int64], purpose: int) -> Unsigned:
    """Return one key per stream (a user) for a purpose (a split and sampler); shape (streams,)."""
    start = mix(np.array([seed], dtype=np.uint64) + GAMMA)
    of_stream = mix((start ^ streams.astype(np.uint64)) + GAMMA)
    return mix((of_stream ^ np.uint64(purpose)) + GAMMA)


def draws(keys: Unsigned, first: int, count: int) -> Unsigned:
    """Return draws number first to first + count - 1 of every stream; shape (streams, count)."""
    numbers = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    return mix(keys[:, None] + numbers * GAMMA)
