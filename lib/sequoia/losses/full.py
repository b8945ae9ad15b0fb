"""Cross-entropy over all items, in tiles: of targets, and where they do not fit at once of items.

No more than one tile of logits is ever held, and its gradients are worked out while it is there: all logits
at once would cost more time in page faults than in arithmetic. With several tiles of items the logits are
computed twice: for the softmax's denominator (a running maximum and sum, Milakov and Gimelshein, 2018), and
for the gradients.

Shape letters: N targets, D width, V vocabulary rows, C targets of a tile, T items of a tile.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

NUM_RESERVED_ROWS = 2
# Targets are filled up to a multiple: oneDNN compiles and keeps a program for each shape of bfloat16 product.
ROW_STEP = 64


def full_softmax(
    states_ND: Tensor,
    targets_N: Tensor,
    item_vectors_VD: Tensor,
    *,
    target_tile: int,
    item_tile: int,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the cross-entropy summed over targets (int64 rows >= 2) against all items, scalar float32.

    dtype is the type of the products and of the logits; sums over tiles and the result stay float32.
    """
    loss: Tensor = _FullSoftmax.apply(  # type: ignore[no-untyped-call]
        states_ND, targets_N, item_vectors_VD, target_tile, item_tile, dtype
    )
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states_ND: Tensor,
        targets_N: Tensor,
        vectors_VD: Tensor,
        target_tile: int,
        item_tile: int,
        dtype: torch.dtype,
    ) -> Tensor:
        states = F.pad(states_ND.to(dtype), (0, 0, 0, -len(states_ND) % ROW_STEP))
        tiles = _Tiles(vectors_VD.to(dtype), target_tile, item_tile)
        states_gradient = torch.zeros_like(states_ND)
        loss = states_ND.new_zeros(())
        for start in range(0, len(states_ND), target_tile):
            part = slice(start, start + target_tile)
            tile_loss, tile_gradient = tiles.add(states[part], targets_N[part])
            loss += tile_loss
            states_gradient[part] = tile_gradient
        ctx.save_for_backward(states_gradient, tiles.gradient_DV.T)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, loss_gradient: Tensor) -> tuple[Tensor | None, ...]:
        states_gradient, vectors_gradient = ctx.saved_tensors
        return (
            states_gradient * loss_gradient,
            None,
            vectors_gradient * loss_gradient,
            None,
            None,
            None,
        )


class _Tiles:
    """The items in tiles, and the sum of their gradients so far."""

    def __init__(self, vectors_VD: Tensor, target_tile: int, item_tile: int) -> None:
        num_rows, width = vectors_VD.shape
        self._vectors = vectors_VD
        self._spans = [
            slice(first, min(first + item_tile, num_rows)) for first in range(0, num_rows, item_tile)
        ]
        # Always of the same size: buffers that follow the number of targets would fragment the heap.
        self._buffer = vectors_VD.new_empty(target_tile, min(item_tile, num_rows))
        self.gradient_DV = vectors_VD.new_zeros(width, num_rows, dtype=torch.float32)

    def add(self, states_CD: Tensor, targets_C: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summed loss of a tile of targets and its gradient for the states; keep that for items.

        The states may have rows beyond the last target.
        """
        count = len(targets_C)
        gradient_CD = states_CD.new_zeros(count, states_CD.shape[1], dtype=torch.float32)
        if len(self._spans) == 1:
            logits_CT = self._logits(states_CD, self._spans[0])
            loss = self._loss_then_gradient(logits_CT, states_CD, targets_C)
            self._collect(logits_CT, states_CD, gradient_CD, self._spans[0])
            return loss, gradient_CD
        target_logits_C, normaliser_C = self._first_pass(states_CD, targets_C)
        for span in self._spans:
            logits_CT = self._logits(states_CD, span)
            logits_CT[count:] = 0
            logits_CT[:count].sub_(normaliser_C[:, None]).exp_()
            inside, places = _inside(targets_C, span)
            logits_CT[inside, places] -= 1
            self._collect(logits_CT, states_CD, gradient_CD, span)
        return (normaliser_C - target_logits_C).sum(), gradient_CD

    def _loss_then_gradient(self, logits_CV: Tensor, states_CD: Tensor, targets_C: Tensor) -> Tensor:
        """Return the summed loss and overwrite the logits with its gradient, 0 beyond the last target."""
        count = len(targets_C)
        logits_CV[count:] = 0
        part_CV, at_C = logits_CV[:count], (torch.arange(count, device=targets_C.device), targets_C)
        if part_CV.device.type == "cuda":
            losses_C = _losses_by_largest(part_CV, at_C)
        else:
            torch.softmax(part_CV, dim=1, out=part_CV)
            losses_C = -part_CV[at_C].float().log()
            # A probability may be too small for a float; to ask a GPU whether one is would be to wait for it.
            lost = losses_C.isinf().nonzero()[:, 0]
            if len(lost):
                losses_C[lost] = self._exactly(states_CD[lost], targets_C[lost])
        part_CV[at_C] -= 1
        return losses_C.sum()

    def _exactly(self, states_CD: Tensor, targets_C: Tensor) -> Tensor:
        """Return the loss of each of a few targets by way of logarithms."""
        logits_CV = (states_CD @ self._vectors.T).float()
        logits_CV[:, :NUM_RESERVED_ROWS] = -torch.inf
        return F.cross_entropy(logits_CV, targets_C, reduction="none")

    def _first_pass(self, states_CD: Tensor, targets_C: Tensor) -> tuple[Tensor, Tensor]:
        """Return the targets' logits and the logarithm of the softmax's denominator, both (C,) float32."""
        count = len(targets_C)
        target_logits_C = states_CD.new_empty(count, dtype=torch.float32)
        largest_C = torch.full_like(target_logits_C, -torch.inf)
        sums_C = torch.zeros_like(target_logits_C)
        for span in self._spans:
            logits_CT = self._logits(states_CD, span)[:count]
            inside, places = _inside(targets_C, span)
            target_logits_C[inside] = logits_CT[inside, places].float()
            now_C = torch.maximum(largest_C, logits_CT.amax(dim=1).float())
            sums_C *= (largest_C - now_C).exp()
            sums_C += logits_CT.sub_(now_C[:, None]).exp_().sum(dim=1, dtype=torch.float32)
            largest_C = now_C
        return target_logits_C, largest_C + sums_C.log()

    def _logits(self, states_CD: Tensor, span: slice) -> Tensor:
        vectors_TD = self._vectors[span]
        out = self._buffer.view(-1)[: len(states_CD) * len(vectors_TD)].view(len(states_CD), -1)
        logits_CT = torch.mm(states_CD, vectors_TD.T, out=out)
        if span.start < NUM_RESERVED_ROWS:
            logits_CT[:, : NUM_RESERVED_ROWS - span.start] = -torch.inf
        return logits_CT

    def _collect(self, gradient_CT: Tensor, states_CD: Tensor, gradient_CD: Tensor, span: slice) -> None:
        gradient_CD += (gradient_CT @ self._vectors[span])[: len(gradient_CD)]
        self.gradient_DV[:, span] += states_CD.T @ gradient_CT


def _inside(targets_C: Tensor, span: slice) -> tuple[Tensor, Tensor]:
    """Return which targets lie in a span, and their places in it."""
    inside = ((targets_C >= span.start) & (targets_C < span.stop)).nonzero()[:, 0]
    return inside, targets_C[inside] - span.start


def _losses_by_largest(logits_CV: Tensor, at_C: tuple[Tensor, Tensor]) -> Tensor:
    """Return the loss of each target, and turn the logits into probabilities.

    The largest one is at least 1 / V, so its logarithm is safe where that of the target's is not.
    """
    target_logits_C, largest_C = logits_CV[at_C].float(), logits_CV.amax(dim=1).float()
    torch.softmax(logits_CV, dim=1, out=logits_CV)
    return largest_C - logits_CV.amax(dim=1).float().log() - target_logits_C
