"""Next-item prediction at every event of a training row.

The model knows positions as distances only, so this equals training on every prefix as an example of its own.
Sequences are packed before they are encoded, and logits exist only where there is a target.

Shape letters: B training rows, L input positions, T events, N targets, R packed rows, P their positions.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sequoia.losses.choice import Loss
from sequoia.models.packing import pack, place
from sequoia.models.sasrec import FIRST_ITEM_ROW, PADDING_ROW, SasRec


def training_loss(
    model: SasRec,
    rows_BL1: Tensor,
    loss: Loss,
    generator: torch.Generator,
    join: Callable[[Tensor], Tensor] = lambda targets_N: targets_N,
) -> tuple[Tensor, int]:
    """Return the loss summed over the targets of left-padded int64 rows, and the number of targets.

    Without any target the loss is a zero that still reaches the parameters: every rank can run backward.
    Vocabulary rows 0 and 1 are no targets. Negatives come from the generator, dropout from torch's own.
    join: brings the targets of all ranks together, for a loss that asks for them.
    """
    states_ND, targets_N = _states_and_targets(model, rows_BL1[:, :-1], rows_BL1[:, 1:])
    batch_M = join(targets_N) if loss.needs_batch else targets_N
    if not len(targets_N):
        return torch.stack([parameter.sum() * 0 for parameter in model.parameters()]).sum(), 0
    return loss(states_ND, targets_N, model.item_vectors(), batch_M, generator), len(targets_N)


def _states_and_targets(model: SasRec, inputs_BL: Tensor, targets_BL: Tensor) -> tuple[Tensor, Tensor]:
    present_BL = inputs_BL != PADDING_ROW
    lengths_B = present_BL.sum(dim=1)
    sequence_T, position_T = present_BL.nonzero(as_tuple=True)
    row_of_B, start_of_B, num_rows = pack(lengths_B, model.settings.max_length)
    first_B = inputs_BL.shape[1] - lengths_B
    shift_B = row_of_B * model.settings.max_length + start_of_B - first_B
    packed_T = shift_B[sequence_T] + position_T
    items_RP = place(inputs_BL[present_BL], packed_T, num_rows, model.settings.max_length)
    segments_RP = place(sequence_T + 1, packed_T, num_rows, model.settings.max_length)
    targets_T = targets_BL[present_BL]
    has_item_T = targets_T >= FIRST_ITEM_ROW
    states_XD = model.encode(items_RP, segments_RP).flatten(0, 1)
    return states_XD[packed_T[has_item_T]], targets_T[has_item_T]
