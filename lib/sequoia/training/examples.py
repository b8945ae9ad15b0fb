"""From a rank's rows of a step to batches with targets, within a budget of events.

Every event but the last of a row is an example: its prefix is the history, the event after it the target. A
step of more events than the budget is several batches, whose gradients are added up.

Shape letters: B rows, W events of a row, T events of a batch, N targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sequoia.losses.choice import Loss
from sequoia.modelling.histories import FIRST_ITEM_ROW, PADDING_ROW
from sequoia.neural.batch import Batch, make_batch
from sequoia.neural.item_table import ItemTable
from sequoia.readers.plan import Integers
from sequoia.readers.rank_rows import StepRows
from sequoia.splitmix64 import GAMMA, mix, stream_keys

Encode = Callable[[Batch], Tensor]
DROPOUT = 2 << 32  # the purpose of the hash that dropout's keys come from; an epoch is added


@dataclass(frozen=True, kw_only=True)
class Examples:
    """A batch with what is to be predicted: the next item of event at_N[i] is targets_N[i] (int64 rows)."""

    batch: Batch
    at_N: Tensor
    targets_N: Tensor

    def to(self, device: torch.device) -> Examples:
        """Return them on a device."""
        at_N, targets_N = (tensor.to(device, non_blocking=True) for tensor in (self.at_N, self.targets_N))
        return replace(self, batch=self.batch.to(device), at_N=at_N, targets_N=targets_N)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a rank: its number, how many the epoch has, and its batches, none where it has no rows."""

    epoch: int
    number: int
    of: int
    batches: list[Examples]

    def targets(self) -> Tensor:
        """Return all targets of its batches."""
        return torch.cat([torch.zeros(0, dtype=torch.int64), *(one.targets_N for one in self.batches)])


def make_step(rows: StepRows, *, max_length: int, budget: int, seed: int) -> Step:
    """Make a step of training rows padded on the left.

    max_length: of a row its newest max_length events and the last one's target count. budget: most events
    of a batch, but for the last sequence. seed: of dropout.
    """
    batches = []
    if len(rows.places):
        items_BW = rows.columns["items"][:, -(max_length + 1) :].astype(np.int64)
        present_BL = items_BW[:, :-1] != PADDING_ROW
        known_BL = {
            name: values[:, -(max_length + 1) : -1]
            for name, values in rows.columns.items()
            if name != "items"
        }
        starts = np.cumsum(present_BL.sum(axis=1)) - present_BL.sum(axis=1)
        bounds = [*np.flatnonzero(np.diff(starts // budget, prepend=-1)), len(starts)]
        keys_BL = dropout_keys(seed, rows.epoch, rows.places, present_BL.shape[1])
        for first, last in pairwise(bounds):
            part = slice(first, last)
            known = {name: values[part] for name, values in known_BL.items()}
            examples = _examples(items_BW[part], present_BL[part], keys_BL[part], known, max_length)
            batches += [examples] if len(examples.targets_N) else []
    return Step(epoch=rows.epoch, number=rows.step, of=rows.steps, batches=batches)


def dropout_keys(seed: int, epoch: int, places_B: Integers, length: int) -> NDArray[np.int32]:
    """Return a random number for each event of each row in an epoch, (B, length)."""
    keys_B = stream_keys(seed, places_B, DROPOUT + epoch)
    bits_BL = mix(keys_B[:, None] + np.arange(1, length + 1, dtype=np.uint64) * GAMMA)
    return (bits_BL >> np.uint64(32)).astype(np.uint32).view(np.int32)


def _examples(
    items_BW: Integers,
    present_BL: NDArray[np.bool_],
    keys_BL: NDArray[np.int32],
    known_BL: Mapping[str, NDArray[np.generic]],
    max_length: int,
) -> Examples:
    lengths_B = present_BL.sum(axis=1)
    targets_T = items_BW[:, 1:][present_BL]
    has_item_T = targets_T >= FIRST_ITEM_ROW
    batch = make_batch(
        items_BW[:, :-1][present_BL],
        lengths_B[lengths_B > 0],
        max_length,
        keys_T=keys_BL[present_BL],
        columns={name: values_BL[present_BL] for name, values_BL in known_BL.items()},
    )
    at_N = torch.from_numpy(np.flatnonzero(has_item_T))
    return Examples(batch=batch, at_N=at_N, targets_N=torch.from_numpy(targets_T[has_item_T]))


def training_loss(
    encode: Encode,
    items: ItemTable,
    examples: Examples,
    loss: Loss,
    negatives_S: Tensor,
    precision: torch.dtype,
) -> Tensor:
    """Return the loss summed over the targets.

    encode, items: a model's. negatives_S: what the loss drew for the step. precision: of the model's
    products; the loss has its own.
    """
    device = examples.targets_N.device.type
    # torch 2.3 warns of a type that it does not cast to, even where it is told not to cast.
    with nullcontext() if precision == torch.float32 else torch.autocast(device, precision):
        states_TD = encode(examples.batch)
    states_ND = states_TD.index_select(0, examples.at_N).float()
    return loss(states_ND, examples.targets_N, items, negatives_S)
