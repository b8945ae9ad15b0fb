"""Full softmax against torch's own cross-entropy; sampled softmax against the full one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from sequoia.losses.softmax import NUM_RESERVED_ROWS, full_softmax, sampled_softmax

NUM_ROWS = 30


def _problem(num_targets: int = 20) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    states = torch.randn(num_targets, 8, generator=generator).requires_grad_()
    vectors = torch.randn(NUM_ROWS, 8, generator=generator).requires_grad_()
    return states, torch.randint(NUM_RESERVED_ROWS, NUM_ROWS, (num_targets,), generator=generator), vectors


def _reference(states: Tensor, targets: Tensor, vectors: Tensor) -> Tensor:
    items = vectors[NUM_RESERVED_ROWS:]
    return F.cross_entropy(states @ items.T, targets - NUM_RESERVED_ROWS, reduction="sum")


@pytest.mark.parametrize("chunk", [1, 7, 20, 1000])
def test_full_softmax_equals_cross_entropy_in_value_and_gradients(chunk: int) -> None:
    states, targets, vectors = _problem()
    loss = full_softmax(states, targets, vectors, chunk)
    expected = _reference(states, targets, vectors)
    torch.testing.assert_close(loss, expected)
    # A factor shows that the gradient which arrives from outside is used.
    found = torch.autograd.grad(3 * loss, (states, vectors))
    torch.testing.assert_close(
        found, torch.autograd.grad(3 * expected, (states, vectors)), atol=1e-5, rtol=1e-4
    )


def test_full_softmax_stays_finite_where_the_targets_probability_underflows() -> None:
    vectors = torch.zeros(4, 1)
    vectors[2], vectors[3] = 1000.0, -1000.0
    loss = full_softmax(torch.ones(1, 1), torch.tensor([3]), vectors, 8)
    assert loss.item() == pytest.approx(2000.0)


def test_half_precision_logits_stay_close_to_full_precision() -> None:
    states, targets, vectors = _problem(200)
    loss = full_softmax(states, targets, vectors, 64, torch.bfloat16)
    expected = _reference(states, targets, vectors)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=0.01)
    found = torch.cat([g.flatten() for g in torch.autograd.grad(loss, (states, vectors))])
    wanted = torch.cat([g.flatten() for g in torch.autograd.grad(expected, (states, vectors))])
    assert F.cosine_similarity(found, wanted, dim=0).item() > 0.999


def test_sampled_softmax_with_every_item_once_equals_the_full_one() -> None:
    states, targets, vectors = _problem()
    every_item = torch.arange(NUM_RESERVED_ROWS, NUM_ROWS)
    loss = sampled_softmax(states, targets, vectors, every_item, torch.zeros(NUM_ROWS))
    expected = _reference(states, targets, vectors)
    torch.testing.assert_close(loss, expected)
    found = torch.autograd.grad(loss, (states, vectors))
    torch.testing.assert_close(found, torch.autograd.grad(expected, (states, vectors)), atol=1e-5, rtol=1e-4)


def test_rarely_drawn_negatives_count_for_more() -> None:
    vectors = torch.zeros(5, 1)
    log_expected_count = torch.tensor([0.0, 0.0, 0.0, 0.5, 0.25]).log()
    loss = sampled_softmax(
        torch.ones(1, 1), torch.tensor([2]), vectors, torch.tensor([3, 4]), log_expected_count
    )
    assert loss.exp().item() == pytest.approx(1 + 2 + 4)


def test_a_negative_that_is_the_target_does_not_count() -> None:
    loss = sampled_softmax(
        torch.ones(1, 1), torch.tensor([2]), torch.zeros(4, 1), torch.tensor([2, 2, 3]), torch.zeros(4)
    )
    assert loss.exp().item() == pytest.approx(2)
