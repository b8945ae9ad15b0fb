"""Operations by hand: of three products of logits, and nothing is learned when they are counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sequoia.config import load_config
from sequoia.distributed.single import SingleProcess
from sequoia.losses.choice import choose_loss
from sequoia.models.sasrec import SasRec
from sequoia.readers.rank_rows import StepRows
from sequoia.training.effort import COUNTS, Effort
from sequoia.training.examples import Step, make_step
from sequoia.training.learner import Learner

pytestmark = pytest.mark.skipif(
    not COUNTS, reason="this torch does not count products that are written in place"
)

WIDTH, LENGTH, ROWS = 16, 4, 16  # 64 targets: full tiles


def step() -> Step:
    items = np.arange(2, 2 + ROWS * (LENGTH + 1), dtype=np.int32).reshape(ROWS, LENGTH + 1)
    rows = StepRows(epoch=0, step=0, steps=1, places=np.arange(ROWS), columns={"items": items})
    return make_step(rows, max_length=LENGTH, budget=10_000, seed=0)


def learner(num_rows: int) -> Learner:
    torch.manual_seed(0)
    settings = {"width": WIDTH, "blocks": 1, "heads": 1, "max_length": LENGTH, "dropout": 0.0}
    config = load_config(overrides=["loss.logits_type=float32"])
    model = SasRec.make(settings, num_rows)
    return Learner(model, choose_loss(config.loss, torch.ones(num_rows)), SingleProcess(), config.training, 0)


def test_more_items_cost_three_products_for_each_target() -> None:
    few, many = (Effort.of(learner(rows), step()) for rows in (100, 300))
    assert few is not None
    assert many is not None
    assert many.flops_per_target - few.flops_per_target == 3 * 2 * WIDTH * 200
    assert many.parameters - few.parameters == WIDTH * 200
    # Of an event: 4 and 8 squares of the width in attention and feed-forward, forward and twice backward.
    assert few.flops_per_target > 3 * 2 * (12 * WIDTH**2 + WIDTH * 100)
    assert few.device_flops > 1e8


def test_nothing_is_learned_meanwhile() -> None:
    one, other = learner(100), learner(100)
    Effort.of(one, step())
    assert torch.equal(one.learn(step()), other.learn(step()))
    for mine, its in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_utilisation_is_of_a_process() -> None:
    effort = Effort(parameters=5, flops_per_target=1e6, device_flops=1e10)
    assert effort.note(8000, 2.0, 2)["utilisation"] == pytest.approx(0.2)


def test_a_step_without_rows_tells_nothing() -> None:
    assert Effort.of(learner(100), Step(epoch=0, number=0, of=1, batches=[])) is None
