"""Dropout whose randomness belongs to the event: whichever process draws it, and in whatever company.

What becomes of an element is a hash of its event's key, of the place of the dropout in the model, and of the
element's own number. So several processes drop what a single one would, and a training that goes on drops
what an uninterrupted one would have. It also takes a third of the time of torch's own on a CPU.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

FACTOR = 0x297A2D39  # odd, its bits without a pattern
ROUNDS = ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15))  # splitmix64's, as signed numbers
HALF, WHOLE = 1 << 16, 1 << 32


class Dropout:
    """The dropouts of one pass over a batch, in the order in which the model asks for them.

    Without keys nothing is dropped: nobody is training.
    """

    def __init__(self, keys: Tensor | None) -> None:
        """Take a random int32 number for every event, of any shape."""
        self._keys = keys
        self._asked = 0

    def __call__(self, values: Tensor, p: float) -> Tensor:
        """Zero elements of (keys' shape, D) with probability p, the others are scaled by 1 / (1 - p)."""
        if self._keys is None or p == 0:
            return values
        width = values.shape[-1]
        bits = self._keys[..., None] * self._factors(-(-width // 2))
        bits = _scramble(bits).view(torch.int16)[..., :width]  # two numbers of 16 bits in one of 32
        return _keep(values, bits, p, HALF)

    def of_pairs(self, weights_RHQK: Tensor, p: float) -> Tensor:
        """Zero weights between events of one row: keys are (R, L), the weights (R, heads, L, L)."""
        if self._keys is None or p == 0:
            return weights_RHQK
        pairs_R1QK = (self._keys[:, :, None] * self._keys[:, None, :])[:, None]
        bits = pairs_R1QK * self._factors(weights_RHQK.shape[1])[:, None, None]
        return _keep(weights_RHQK, _scramble(bits), p, WHOLE)

    def _factors(self, count: int) -> Tensor:
        assert self._keys is not None
        self._asked += 1
        return _factors(self._asked, count, self._keys.device)


@lru_cache(maxsize=256)
def _factors(place: int, count: int, device: torch.device) -> Tensor:
    """Return odd int32 numbers of a place in the model: torch's arithmetic alone, which can be compiled."""
    numbers = torch.arange(count, device=device) + (place << 32)
    for shift, factor in ROUNDS:
        numbers = (numbers ^ (numbers >> shift)) * factor
    return (numbers >> 32).to(torch.int32) | 1


def _scramble(bits: Tensor) -> Tensor:
    """Mix numbers in place: the upper bits of a product know all of its factors, the lower ones do not."""
    bits.add_(bits >> 15).mul_(FACTOR)
    return bits.add_(bits >> 16)


def _keep(values: Tensor, bits: Tensor, p: float, numbers: int) -> Tensor:
    dropped = min(round(p * numbers), numbers - 1)
    kept = bits.ge(dropped - numbers // 2).to(values.dtype)
    return values * kept.mul_(numbers / (numbers - dropped))
