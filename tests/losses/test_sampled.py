"""Sampled losses against their definitions, written out one pair at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sequoia.losses.sampled import bce, bpr, bpr_max, gbce_power, sampled_softmax, top1_max
from tests.losses.world import NUM_RESERVED_ROWS, NUM_ROWS, cross_entropy, problem

POSITIVE = torch.tensor([[0.5], [-1.0], [2.0]])
NEGATIVE = torch.tensor([[0.1, 3.0, -0.4], [0.0, -1.0, 1.0], [0.3, 0.2, 0.1]])
LEFT_OUT = torch.tensor([[False, True, False], [False, False, False], [True, True, True]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def by_hand(of_target: Callable[[float, list[float]], float]) -> float:
    """Sum over the targets; each is given its logit and those of the negatives that count."""
    kept = [
        [value for value, out in zip(row, left_out, strict=True) if not out]
        for row, left_out in zip(NEGATIVE.tolist(), LEFT_OUT.tolist(), strict=True)
    ]
    return sum(of_target(positive[0], row) for positive, row in zip(POSITIVE.tolist(), kept, strict=True))


def weighted(negatives: list[float], of_one: Callable[[float], float]) -> float:
    total = sum(map(math.exp, negatives))
    return sum(math.exp(one) / total * of_one(one) for one in negatives)


def plain_bce(positive: float, negatives: list[float]) -> float:
    terms = [-1.7 * math.log(sigmoid(positive)), *(-math.log(1 - sigmoid(one)) for one in negatives)]
    return sum(terms) / len(terms)


def plain_bpr(positive: float, negatives: list[float]) -> float:
    pairs = [-math.log(sigmoid(positive - one)) for one in negatives]
    return sum(pairs) / max(1, len(pairs))


def plain_bpr_max(positive: float, negatives: list[float]) -> float:
    if not negatives:
        return 0.0
    won = weighted(negatives, lambda one: sigmoid(positive - one))
    return -math.log(won) + 0.3 * weighted(negatives, lambda one: one * one)


def plain_top1_max(positive: float, negatives: list[float]) -> float:
    return weighted(negatives, lambda one: sigmoid(one - positive) + sigmoid(one * one)) if negatives else 0.0


@pytest.mark.parametrize(
    ("loss", "plain"),
    [
        (lambda *logits: bce(*logits, 1.7), plain_bce),
        (bpr, plain_bpr),
        (lambda *logits: bpr_max(*logits, 0.3), plain_bpr_max),
        (top1_max, plain_top1_max),
    ],
    ids=["bce", "bpr", "bpr-max", "top1-max"],
)
def test_losses_are_their_definitions(
    loss: Callable[..., Tensor], plain: Callable[[float, list[float]], float]
) -> None:
    positive, negative = POSITIVE.clone().requires_grad_(), NEGATIVE.clone().requires_grad_()
    found = loss(positive, negative, LEFT_OUT)
    assert found.item() == pytest.approx(by_hand(plain), rel=1e-5)
    gradients = torch.autograd.grad(found, (positive, negative))
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[1][LEFT_OUT] == 0).all()


def test_the_power_of_gbce() -> None:
    assert gbce_power(10, 101, 0.0) == pytest.approx(1.0)
    assert gbce_power(10, 101, 1.0) == pytest.approx(0.1)
    assert gbce_power(10, 101, 0.75) == pytest.approx(0.1 * (0.75 * (1 - 10) + 10))
    assert gbce_power(500, 101, 0.75) == pytest.approx(1.0)


def test_sampled_softmax_with_every_item_once_equals_the_full_one() -> None:
    states, targets, vectors = problem()
    every_item = torch.arange(NUM_RESERVED_ROWS, NUM_ROWS)
    loss = sampled_softmax(
        (states * vectors[targets]).sum(dim=1, keepdim=True),
        states @ vectors[every_item].T,
        targets[:, None] == every_item,
        torch.zeros(len(every_item)),
    )
    expected = cross_entropy(states, targets, vectors)
    torch.testing.assert_close(loss, expected)
    found = torch.autograd.grad(loss, (states, vectors))
    torch.testing.assert_close(found, torch.autograd.grad(expected, (states, vectors)), atol=1e-5, rtol=1e-4)


def test_rarely_drawn_negatives_count_for_more_and_the_target_does_not_count() -> None:
    left_out = torch.tensor([[False, False, True]])
    expected_count = torch.tensor([0.5, 0.25, 1.0])
    loss = sampled_softmax(torch.zeros(1, 1), torch.zeros(1, 3), left_out, expected_count.log())
    assert loss.exp().item() == pytest.approx(1 + 2 + 4)
