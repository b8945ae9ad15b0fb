"""The loss a trainer calls, with its constants bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from sequoia.losses.proposal import Proposal
from sequoia.losses.softmax import full_softmax, sampled_softmax


class Loss(Protocol):
    """Summed loss of N states against their targets."""

    def __call__(
        self, states_ND: Tensor, targets_N: Tensor, item_vectors_VD: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return a scalar; whatever is random comes from the generator."""
        ...


@dataclass(frozen=True, kw_only=True)
class FullSoftmax:
    """Cross-entropy against all items, at most chunk x V logits at a time."""

    chunk: int
    dtype: torch.dtype

    def __call__(
        self, states_ND: Tensor, targets_N: Tensor, item_vectors_VD: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the summed loss; the generator is not used."""
        return full_softmax(states_ND, targets_N, item_vectors_VD, self.chunk, self.dtype)


@dataclass(frozen=True, kw_only=True)
class SampledSoftmax:
    """Cross-entropy against negatives that one call shares among its targets."""

    proposal: Proposal

    def __call__(
        self, states_ND: Tensor, targets_N: Tensor, item_vectors_VD: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the summed loss; the generator draws the negatives."""
        negatives_S = self.proposal.draw(generator)
        return sampled_softmax(
            states_ND, targets_N, item_vectors_VD, negatives_S, self.proposal.log_expected_count_V
        )


def choose_loss(
    *,
    kind: Literal["full", "sampled"],
    chunk: int,
    logits_type: Literal["float32", "bfloat16"],
    num_negatives: int,
    alpha: float,
    counts_V: Tensor,
) -> Loss:
    """Build the loss of a configuration; counts_V is the number of training events of each vocabulary row."""
    if kind == "sampled":
        return SampledSoftmax(proposal=Proposal(counts_V, alpha, num_negatives))
    return FullSoftmax(chunk=chunk, dtype={"float32": torch.float32, "bfloat16": torch.bfloat16}[logits_type])
