"""The events of training rows: every prefix is an example, within a budget of events, whoever asks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sequoia.config import load_config
from sequoia.losses.choice import choose_loss
from sequoia.modelling.histories import Histories
from sequoia.models.sasrec import SasRec, SasRecSettings
from sequoia.neural.batch import batch_of_histories
from sequoia.readers.rank_rows import StepRows
from sequoia.training.examples import Step, dropout_keys, make_step, training_loss

SETTINGS = load_config(overrides=["loss.target_tile=3", "loss.logits_type=float32"]).loss
LOSS = choose_loss(SETTINGS, torch.ones(20))
NONE = torch.zeros(0, dtype=torch.int64)


def make_model(num_rows: int = 20) -> SasRec:
    torch.manual_seed(1)
    return SasRec(SasRecSettings(width=16, blocks=2, heads=2, max_length=4, dropout=0.0), num_rows)


def step_of(rows: list[list[int]], budget: int = 1000, max_length: int = 4) -> Step:
    items = np.array(rows, np.int32)
    found = StepRows(epoch=0, step=3, steps=9, places=np.arange(len(rows)), columns={"items": items})
    return make_step(found, max_length=max_length, budget=budget, seed=7)


def test_equals_every_prefix_as_its_own_example() -> None:
    model = make_model()
    rows = [[0, 0, 5, 6, 7], [0, 0, 0, 0, 9], [0, 3, 1, 4, 8], [2, 3, 4, 5, 6]]
    prefixes = [([5], 6), ([5, 6], 7), ([3, 1], 4), ([3, 1, 4], 8)]
    prefixes += [([2], 3), ([2, 3], 4), ([2, 3, 4], 5), ([2, 3, 4, 5], 6)]
    expected = torch.zeros(())
    for history, target in prefixes:
        batch = batch_of_histories(Histories.of([history]), 4)
        scores = model.encode(batch)[batch.newest] @ model.table.all_rows()[2:].T
        expected = expected + F.cross_entropy(scores, torch.tensor([target - 2]), reduction="sum")
    step = step_of(rows)
    assert sorted(step.targets().tolist()) == sorted(target for _, target in prefixes)
    loss = training_loss(model.encode, model.table, step.batches[0], LOSS, NONE, torch.float32)
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    found = torch.autograd.grad(loss, parameters)
    torch.testing.assert_close(found, torch.autograd.grad(expected, parameters), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("budget", [1, 3, 5, 100])
def test_a_budget_parts_a_step_between_its_sequences(budget: int) -> None:
    rows = [[0, 0, 5, 6, 7], [0, 0, 0, 0, 9], [0, 3, 1, 4, 8], [2, 3, 4, 5, 6]]
    whole, parted = step_of(rows), step_of(rows, budget)
    assert torch.equal(parted.targets(), whole.targets())
    assert all(len(one.batch.items_T) < budget + 4 for one in parted.batches)
    for name in ("items_T", "keys_T"):
        parts = torch.cat([getattr(one.batch, name) for one in parted.batches])
        assert torch.equal(parts, getattr(whole.batches[0].batch, name))


def test_of_a_longer_row_the_newest_events_count() -> None:
    (examples,) = step_of([[2, 3, 4, 5, 6, 7]], max_length=3).batches
    assert examples.batch.items_T.tolist() == [4, 5, 6]
    assert examples.targets_N.tolist() == [5, 6, 7]


@pytest.mark.parametrize("rows", [[], [[0, 0, 0, 0, 7]], [[0, 0, 0, 5, 1]]])
def test_a_step_without_targets_has_no_batches(rows: list[list[int]]) -> None:
    step = step_of(rows)
    assert step.batches == []
    assert step.targets().tolist() == []


def test_keys_belong_to_the_event_of_a_row_in_an_epoch() -> None:
    whole = dropout_keys(7, 2, np.arange(1000), 50)
    assert (dropout_keys(7, 2, np.array([5, 3]), 50) == whole[[5, 3]]).all()
    assert len(np.unique(whole)) > 0.999 * whole.size
    assert (dropout_keys(7, 3, np.arange(1000), 50) != whole).mean() > 0.999
    assert (dropout_keys(8, 2, np.arange(1000), 50) != whole).mean() > 0.999


def test_learns_a_cycle_of_items() -> None:
    model = make_model(num_rows=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    rows = [[2 + (start + step) % 6 for step in range(5)] for start in range(6)]
    step = step_of(rows)
    loss = choose_loss(SETTINGS, torch.ones(8))
    for _ in range(60):
        optimizer.zero_grad()
        found = training_loss(model.encode, model.table, step.batches[0], loss, NONE, torch.float32)
        (found / len(step.targets())).backward()
        optimizer.step()
    batch = batch_of_histories(Histories.of([row[:4] for row in rows]), 4)
    scores = model.encode(batch)[batch.newest] @ model.table.all_rows()[2:].T
    assert (scores.argmax(dim=1) + 2).tolist() == [row[4] for row in rows]
