"""The packed objective equals a slow sum over prefixes, and it can learn."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from sequoia.config import load_config
from sequoia.losses.choice import choose_loss
from sequoia.models.objective import training_loss
from sequoia.models.sasrec import SasRec
from sequoia.models.sasrec_settings import SasRecSettings

SETTINGS = load_config(overrides=["loss.target_tile=3", "loss.logits_type=float32"]).loss
LOSS = choose_loss(SETTINGS, torch.ones(20))


def _model(num_rows: int = 20) -> SasRec:
    torch.manual_seed(1)
    return SasRec(
        SasRecSettings(width=16, blocks=2, heads=2, max_length=4, dropout=0.0),
        num_rows,
    )


def test_equals_every_prefix_as_its_own_example() -> None:
    model, generator = _model(), torch.Generator()
    rows = torch.tensor([[0, 0, 5, 6, 7], [0, 0, 0, 0, 9], [0, 3, 1, 4, 8], [2, 3, 4, 5, 6]])
    loss, num_targets = training_loss(model, rows, LOSS, generator)
    prefixes = [([5], 6), ([5, 6], 7), ([3, 1], 4), ([3, 1, 4], 8)]
    prefixes += [([2], 3), ([2, 3], 4), ([2, 3, 4], 5), ([2, 3, 4, 5], 6)]
    expected = torch.zeros(())
    for history, target in prefixes:
        scores = model.user_state(torch.tensor([history])) @ model.item_vectors()[2:].T
        expected = expected + F.cross_entropy(scores, torch.tensor([target - 2]), reduction="sum")
    assert num_targets == len(prefixes)
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    found = torch.autograd.grad(loss, parameters)
    torch.testing.assert_close(found, torch.autograd.grad(expected, parameters), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "rows",
    [
        torch.zeros(0, 5, dtype=torch.int64),
        torch.zeros(2, 5, dtype=torch.int64),
        torch.tensor([[0, 0, 0, 0, 7]]),
    ],
)
def test_without_targets_backward_still_reaches_every_parameter(rows: torch.Tensor) -> None:
    model = _model()
    loss, num_targets = training_loss(model, rows, LOSS, torch.Generator())
    loss.backward()
    assert (loss.item(), num_targets) == (0.0, 0)
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in model.parameters())


def test_learns_a_cycle_of_items() -> None:
    model, generator = _model(num_rows=8), torch.Generator()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    rows = torch.tensor([[2 + (start + step) % 6 for step in range(5)] for start in range(6)])
    for _ in range(60):
        loss, num_targets = training_loss(model, rows, LOSS, generator)
        optimiser.zero_grad()
        (loss / num_targets).backward()
        optimiser.step()
    scores = model.user_state(rows[:, :4]) @ model.item_vectors().T
    assert torch.equal(scores[:, 2:].argmax(dim=1) + 2, rows[:, 4])
