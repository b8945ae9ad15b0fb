"""Full softmax against torch's own cross-entropy, for tiles of all sizes."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from sequoia.losses.full import _losses_by_largest, full_softmax
from tests.losses.world import cross_entropy, problem

LARGE = """
import resource, torch
from sequoia.losses.full import full_softmax
torch.set_num_threads(2)
states = torch.randn(96, 64, requires_grad=True)
vectors = (torch.randn(1_000_002, 64) / 8).requires_grad_()
targets = torch.randint(2, 1_000_002, (96,))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loss = full_softmax(states, targets, vectors, target_tile=512, item_tile=32768)
loss.backward()
extra = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
with torch.no_grad():
    wanted = torch.nn.functional.cross_entropy(states @ vectors[2:].T, targets - 2, reduction="sum")
torch.testing.assert_close(loss.detach(), wanted, rtol=1e-4, atol=0)
print(extra / 2**20)
"""


@pytest.mark.parametrize("item_tile", [16, 29, 1000])
@pytest.mark.parametrize("target_tile", [1, 7, 20, 1000])
def test_value_and_gradients_are_those_of_cross_entropy(target_tile: int, item_tile: int) -> None:
    states, targets, vectors = problem()
    loss = full_softmax(states, targets, vectors, target_tile=target_tile, item_tile=item_tile)
    expected = cross_entropy(states, targets, vectors)
    torch.testing.assert_close(loss, expected)
    # A factor shows that the gradient which arrives from outside is used.
    found = torch.autograd.grad(3 * loss, (states, vectors))
    torch.testing.assert_close(
        found, torch.autograd.grad(3 * expected, (states, vectors)), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("item_tile", [2, 8])
def test_stays_finite_where_the_targets_probability_underflows(item_tile: int) -> None:
    vectors = torch.zeros(6, 1)
    vectors[2], vectors[5] = 1000.0, -1000.0
    loss = full_softmax(
        torch.ones(1, 1), torch.tensor([5]), vectors, target_tile=8, item_tile=max(item_tile, 3)
    )
    assert loss.item() == pytest.approx(2000.0)


def test_a_gpu_is_not_waited_for_and_its_losses_are_the_same() -> None:
    """The way that is taken on CUDA, here on a processor: the last target's probability is no float."""
    logits = torch.tensor([[0.0, 1.0, 2.0], [3.0, -1.0, 0.5], [0.0, 1000.0, -1000.0]])
    targets = torch.tensor([2, 0, 2])
    expected = F.cross_entropy(logits, targets, reduction="none")
    probabilities = logits.softmax(dim=1)
    losses = _losses_by_largest(logits, (torch.arange(3), targets))
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(logits, probabilities)


@pytest.mark.parametrize("item_tile", [16, 1000])
def test_half_precision_stays_close_to_full_precision(item_tile: int) -> None:
    states, targets, vectors = problem(200)
    loss = full_softmax(states, targets, vectors, target_tile=64, item_tile=item_tile, dtype=torch.bfloat16)
    expected = cross_entropy(states, targets, vectors)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=0.01)
    found = torch.cat([g.flatten() for g in torch.autograd.grad(loss, (states, vectors))])
    wanted = torch.cat([g.flatten() for g in torch.autograd.grad(expected, (states, vectors))])
    assert F.cosine_similarity(found, wanted, dim=0).item() > 0.999


def test_a_million_items_take_less_than_a_gibibyte_beside_their_vectors() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1.0
