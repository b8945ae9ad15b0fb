"""Dropout keeps the expected value, says what it drops by probability, and is silent outside training."""

from __future__ import annotations

import pytest
import torch

from sequoia.models.dropout import Dropout


def test_keeps_the_stated_share_and_the_mean() -> None:
    torch.manual_seed(1)
    dropped = Dropout(0.25)(torch.ones(100_000))
    assert sorted(set(dropped.tolist())) == pytest.approx([0.0, 4 / 3])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)


def test_gradients_pass_where_values_do() -> None:
    values = torch.ones(50, requires_grad=True)
    dropped = Dropout(0.5)(values)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, dropped.detach())


def test_returns_its_input_when_there_is_nothing_to_drop() -> None:
    values = torch.ones(5)
    assert Dropout(0.5).eval()(values) is values
    assert Dropout(0.0)(values) is values
