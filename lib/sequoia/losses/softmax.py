"""Cross-entropy over the item vocabulary, on all items or on a shared sample of them.

The full loss never holds more than chunk x V logits and works out its gradients while they are there, in one
reused buffer: all logits at once would cost more time in page faults than in arithmetic.

Shape letters: N targets, D width, V vocabulary rows, S negatives, C targets in one chunk.
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


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states_ND: Tensor, targets_N: Tensor, vectors_VD: Tensor, chunk: int, dtype: torch.dtype
    ) -> Tensor:
        states = F.pad(states_ND.to(dtype), (0, 0, 0, -len(states_ND) % ROW_STEP))
        vectors = vectors_VD.to(dtype)
        # Always of the same size: buffers that follow the number of targets would fragment the heap.
        buffer_CV = states.new_empty(chunk, len(vectors))
        states_gradient, vectors_gradient_DV = torch.zeros_like(states_ND), torch.zeros_like(vectors_VD.T)
        loss = states_ND.new_zeros(())
        for start in range(0, len(states), chunk):
            part = slice(start, start + chunk)
            logits_CV = torch.mm(states[part], vectors.T, out=buffer_CV[: len(states[part])])
            loss += _loss_then_gradient(logits_CV, targets_N[part])
            states_gradient[part] = (logits_CV @ vectors)[: len(targets_N[part])]
            vectors_gradient_DV += states[part].T @ logits_CV
        ctx.save_for_backward(states_gradient, vectors_gradient_DV.T)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, loss_gradient: Tensor) -> tuple[Tensor | None, ...]:
        states_gradient, vectors_gradient = ctx.saved_tensors
        return states_gradient * loss_gradient, None, vectors_gradient * loss_gradient, None, None


def _loss_then_gradient(logits_CV: Tensor, targets_C: Tensor) -> Tensor:
    """Return the summed loss and overwrite the logits with its gradient, 0 in rows beyond the last target."""
    logits_CV[len(targets_C) :] = 0
    logits_CV = logits_CV[: len(targets_C)]
    logits_CV[:, :NUM_RESERVED_ROWS] = -torch.inf
    rows_C = torch.arange(len(targets_C), device=targets_C.device)
    target_logits_C = logits_CV[rows_C, targets_C].float()
    largest_C = logits_CV.amax(dim=1).float()
    torch.softmax(logits_CV, dim=1, out=logits_CV)
    # The largest probability is at least 1 / V, so its logarithm is safe where that of the target's is not.
    log_normaliser_C = largest_C - logits_CV.amax(dim=1).float().log()
    logits_CV[rows_C, targets_C] -= 1
    return (log_normaliser_C - target_logits_C).sum()


def full_softmax(
    states_ND: Tensor,
    targets_N: Tensor,
    item_vectors_VD: Tensor,
    chunk: int,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the cross-entropy summed over targets (int64 rows >= 2) against all items, scalar float32.

    dtype is the type of the products and of the logits; sums over chunks and the result stay float32.
    """
    loss: Tensor = _FullSoftmax.apply(states_ND, targets_N, item_vectors_VD, chunk, dtype)  # type: ignore[no-untyped-call]
    return loss


def sampled_softmax(
    states_ND: Tensor,
    targets_N: Tensor,
    item_vectors_VD: Tensor,
    negatives_S: Tensor,
    log_expected_count_V: Tensor,
) -> Tensor:
    """Return the cross-entropy summed over targets against the target and shared negatives, scalar.

    A negative stands for 1 / (its expected count in the sample) items, so its logit is lowered by the
    logarithm of that count (logQ, Bengio and Senecal 2008); the target is always there and keeps its logit.
    Negatives equal to the target are left out, so that the softmax's denominator is estimated without bias.
    """
    target_logits_N1 = (states_ND * item_vectors_VD[targets_N]).sum(dim=1, keepdim=True)
    negative_logits_NS = states_ND @ item_vectors_VD[negatives_S].T - log_expected_count_V[negatives_S]
    accidental_NS = targets_N[:, None] == negatives_S
    negative_logits_NS = negative_logits_NS.masked_fill(accidental_NS, -torch.inf)
    log_normaliser_N = torch.cat([target_logits_N1, negative_logits_NS], dim=1).logsumexp(dim=1)
    return (log_normaliser_N - target_logits_N1[:, 0]).sum()
