"""Losses of a target against a sample of negatives, summed over targets.

Shape letters: N targets, S negatives. `positive_N1` and `negative_NS` are logits; `left_out_NS` says which
negatives are the target itself and do not count.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TINY = 1e-24


def sampled_softmax(
    positive_N1: Tensor, negative_NS: Tensor, left_out_NS: Tensor, log_expected_count_S: Tensor
) -> Tensor:
    """Return the cross-entropy against the target and the negatives.

    A negative stands for 1 / (its expected count in the sample) items, so its logit is lowered by the
    logarithm of that count (logQ, Bengio and Senecal 2008); the target is always there and keeps its logit.
    So the softmax's denominator is estimated without bias.
    """
    corrected_NS = (negative_NS - log_expected_count_S).masked_fill(left_out_NS, -torch.inf)
    return (torch.cat([positive_N1, corrected_NS], dim=1).logsumexp(dim=1) - positive_N1[:, 0]).sum()


def bce(positive_N1: Tensor, negative_NS: Tensor, left_out_NS: Tensor, power: float) -> Tensor:
    """Return the binary cross-entropy, the mean over a target and its negatives.

    power: of the target's probability; 1 is SASRec's (Kang and McAuley 2018), `gbce_power` gBCE's.
    """
    negatives_N = F.softplus(negative_NS).masked_fill(left_out_NS, 0.0).sum(dim=1)
    counted_N = (~left_out_NS).sum(dim=1) + 1
    return ((power * F.softplus(-positive_N1[:, 0]) + negatives_N) / counted_N).sum()


def gbce_power(negatives: int, items: int, calibration: float) -> float:
    """Return gBCE's power of the target's probability (Petrov and Macdonald 2023, arXiv 2308.07192).

    calibration: their t; 0 is plain binary cross-entropy, 1 undoes the overconfidence of sampling.
    """
    rate = min(1.0, negatives / max(1, items - 1))
    return rate * (calibration * (1 - 1 / rate) + 1 / rate)


def bpr(positive_N1: Tensor, negative_NS: Tensor, left_out_NS: Tensor) -> Tensor:
    """Return the mean over negatives of -log sigmoid(target - negative) (Rendle et al. 2009)."""
    pairs_NS = F.softplus(negative_NS - positive_N1).masked_fill(left_out_NS, 0.0)
    return (pairs_NS.sum(dim=1) / (~left_out_NS).sum(dim=1).clamp(min=1)).sum()


def bpr_max(positive_N1: Tensor, negative_NS: Tensor, left_out_NS: Tensor, regularisation: float) -> Tensor:
    """Return -log of the softmax-weighted sigmoid(target - negative) (Hidasi and Karatzoglou 2018).

    regularisation: weight of the negatives' squared scores.
    """
    weights_NS, has_any_N = _weights(negative_NS, left_out_NS)
    won_N = (weights_NS * torch.sigmoid(positive_N1 - negative_NS)).sum(dim=1)
    lost_N = -(won_N + TINY).log() + regularisation * (weights_NS * negative_NS.square()).sum(dim=1)
    return (lost_N * has_any_N).sum()


def top1_max(positive_N1: Tensor, negative_NS: Tensor, left_out_NS: Tensor) -> Tensor:
    """Return the softmax-weighted sigmoid(negative - target) + sigmoid(negative^2), of the same paper."""
    weights_NS, has_any_N = _weights(negative_NS, left_out_NS)
    lost_NS = torch.sigmoid(negative_NS - positive_N1) + torch.sigmoid(negative_NS.square())
    return ((weights_NS * lost_NS).sum(dim=1) * has_any_N).sum()


def _weights(negative_NS: Tensor, left_out_NS: Tensor) -> tuple[Tensor, Tensor]:
    """Return the softmax over the negatives that count, and of each target whether there are any."""
    has_any_N = ~left_out_NS.all(dim=1)
    counted = negative_NS.masked_fill(left_out_NS & has_any_N[:, None], -torch.inf)
    return counted.softmax(dim=1), has_any_N
