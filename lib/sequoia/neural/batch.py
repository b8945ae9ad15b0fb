"""What a model sees: the events of some sequences, one behind the other, without padding.

Shape letters: B sequences, T events, R packed rows, L positions of a packed row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sequoia.modelling.histories import Histories
from sequoia.neural.features import event_values
from sequoia.neural.packing import pack

Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Short sequences side by side in rows of one length, for what works on rectangles.

    places_T: of each event among the R * L positions. segments_RL: which sequence a position belongs to,
    counted from 1; 0 where there is none.
    """

    places_T: Tensor
    segments_RL: Tensor

    def spread(self, values: Tensor) -> Tensor:
        """Bring values of the events (T, ...) to their positions (R, L, ...), 0 elsewhere."""
        rows, length = self.segments_RL.shape
        spread = values.new_zeros(rows * length, *values.shape[1:])
        return spread.index_copy(0, self.places_T, values).view(rows, length, *values.shape[1:])

    def gather(self, values: Tensor) -> Tensor:
        """Bring values of positions (R, L, ...) back to the events (T, ...)."""
        return values.flatten(0, 1).index_select(0, self.places_T)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Sequences of at least one event each, oldest event first.

    items_T: int64 vocabulary rows. bounds_B1: int64, where each sequence begins, T last. keys_T: random
    int32 numbers for dropout, None outside training. features: what `event_values` makes of the events.
    """

    items_T: Tensor
    bounds_B1: Tensor
    packed: Packed
    keys_T: Tensor | None = None
    features: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def newest(self) -> Tensor:
        """Return the place of each sequence's newest event."""
        return self.bounds_B1[1:] - 1

    def to(self, device: torch.device) -> Batch:
        """Return it on a device; from pinned memory nobody waits for it."""
        if self.items_T.device == device:
            return self
        packed = Packed(**{name: _sent(tensor, device) for name, tensor in vars(self.packed).items()})
        return replace(
            self,
            items_T=_sent(self.items_T, device),
            bounds_B1=_sent(self.bounds_B1, device),
            keys_T=None if self.keys_T is None else _sent(self.keys_T, device),
            features={name: _sent(tensor, device) for name, tensor in self.features.items()},
            packed=packed,
        )


def _sent(tensor: Tensor, device: torch.device) -> Tensor:
    return (tensor.pin_memory() if device.type == "cuda" else tensor).to(device, non_blocking=True)


def make_batch(
    items_T: Integers,
    lengths_B: Integers,
    row_length: int,
    *,
    keys_T: NDArray[np.int32] | None = None,
    columns: Mapping[str, NDArray[np.generic]] | None = None,
) -> Batch:
    """Make a batch of sequences of 1 to row_length events; columns: what else is known of them, (T,)."""
    bounds_B1 = np.concatenate([[0], np.cumsum(lengths_B)])
    row_B, start_B, rows = pack(lengths_B, row_length)
    places_T = np.repeat(row_B * row_length + start_B - bounds_B1[:-1], lengths_B) + np.arange(len(items_T))
    segments = np.zeros(rows * row_length, np.int64)
    segments[places_T] = np.repeat(np.arange(1, len(lengths_B) + 1), lengths_B)
    return Batch(
        items_T=torch.from_numpy(items_T),
        bounds_B1=torch.from_numpy(bounds_B1),
        packed=Packed(
            places_T=torch.from_numpy(places_T),
            segments_RL=torch.from_numpy(segments.reshape(rows, row_length)),
        ),
        keys_T=None if keys_T is None else torch.from_numpy(keys_T),
        features=event_values(columns or {}, bounds_B1),
    )


def batch_of_histories(histories: Histories, row_length: int) -> Batch:
    """Make a batch of the newest row_length events of each history, none of them empty."""
    newest = histories.newest(row_length)
    return make_batch(newest.items_T, newest.lengths, row_length, columns=newest.features)
