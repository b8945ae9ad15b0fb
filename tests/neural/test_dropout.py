"""Dropout keeps the mean, drops what it says, and belongs to the event: not to the batch or its order."""

from __future__ import annotations

import pytest
import torch

from sequoia.neural.dropout import Dropout

KEYS = torch.randint(-(2**31), 2**31, (4000,), dtype=torch.int32, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_keeps_the_stated_share_and_the_mean(p: float) -> None:
    dropped = Dropout(KEYS)(torch.ones(4000, 64), p)
    assert sorted(set(dropped.flatten().tolist())) == pytest.approx([0.0, 1 / (1 - p)], rel=1e-4)
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)


def test_elements_and_events_are_dropped_independently() -> None:
    kept = (Dropout(KEYS)(torch.ones(4000, 64), 0.5) > 0).float()
    between_elements = torch.corrcoef(kept.T) - torch.eye(64)
    between_events = torch.corrcoef(kept[:1000]) - torch.eye(1000)
    # Of independent ones the correlation's deviation is 1 / sqrt(number of values); five of them is rare.
    assert between_elements.square().mean().sqrt() < 1.1 / 4000**0.5
    assert between_elements.abs().max() < 5 / 4000**0.5
    assert between_events.square().mean().sqrt() < 1.1 / 64**0.5


def test_the_places_of_a_model_drop_independently() -> None:
    dropout = Dropout(KEYS)
    first, second = (dropout(torch.ones(4000, 8), 0.5) > 0 for _ in range(2))
    assert (first == second).float().mean().item() == pytest.approx(0.5, abs=0.02)


def test_an_event_drops_the_same_in_any_company() -> None:
    values = torch.randn(4000, 7)
    whole = Dropout(KEYS)(values, 0.3)
    order = torch.randperm(4000)[:100]
    assert torch.equal(Dropout(KEYS[order])(values[order], 0.3), whole[order])


def test_pairs_drop_by_both_of_their_events() -> None:
    keys = KEYS[:300].view(6, 50)
    kept = Dropout(keys).of_pairs(torch.ones(6, 2, 50, 50), 0.2) > 0
    assert kept.float().mean().item() == pytest.approx(0.8, abs=0.01)
    assert (kept[:, 0] == kept[:, 1]).float().mean().item() == pytest.approx(0.68, abs=0.02)
    shifted = Dropout(keys.roll(1, dims=1)).of_pairs(torch.ones(6, 2, 50, 50), 0.2) > 0
    assert torch.equal(shifted[:, :, 1:, 1:], kept[:, :, :-1, :-1])


def test_gradients_pass_where_values_do() -> None:
    values = torch.ones(4000, 3, requires_grad=True)
    dropped = Dropout(KEYS)(values, 0.5)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, dropped.detach())


def test_returns_its_input_when_there_is_nothing_to_drop() -> None:
    values = torch.ones(4000, 2)
    assert Dropout(None)(values, 0.5) is values
    assert Dropout(KEYS)(values, 0.0) is values
