"""A step of the learner: what it changes is seen by those who keep something of the model."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from sequoia.config import load_config
from sequoia.distributed.single import SingleProcess
from sequoia.errors import UserError
from sequoia.losses.choice import choose_loss
from sequoia.modelling.features import FeatureSettings
from sequoia.modelling.item_index import ItemIndex
from sequoia.models.sasrec import SasRec
from sequoia.readers.rank_rows import StepRows
from sequoia.training.examples import Step, make_step
from sequoia.training.learner import Learner

ITEMS = 8


def index() -> ItemIndex:
    rows = np.arange(2, ITEMS + 2)
    names = [f"item {row}" for row in rows]
    counts = np.full(ITEMS, 3)
    columns = {"row": rows, "item_id": rows, "item": names, "events": counts, "category": rows % 3 + 1}
    return ItemIndex(pa.table(columns))


def make_learner(*overrides: str) -> Learner:
    torch.manual_seed(0)
    config = load_config(overrides=["training.warmup_steps=0", *overrides])
    settings = {"width": 8, "blocks": 1, "heads": 1, "max_length": 4, "dropout": 0.2}
    model = SasRec.make(settings, ITEMS + 2)
    model.add_features(FeatureSettings(items=["category"], events=[]), index())
    loss = choose_loss(config.loss, torch.from_numpy(index().events))
    return Learner(model, loss, SingleProcess(), config.training, 1)


def step(count: int = 3) -> Step:
    rows = np.array([[0, 0, 5, 6, 7], [0, 3, 2, 4, 8], [2, 3, 4, 5, 6]], np.int32)[:count]
    found = StepRows(epoch=0, step=0, steps=9, places=np.arange(count), columns={"items": rows})
    return make_step(found, max_length=4, budget=1000, seed=7)


@pytest.mark.long
def test_a_compiled_model_learns_the_same() -> None:
    """Two steps of different shapes, dropout on; compiling takes a minute."""
    learners = [
        make_learner("training.compile=" + value, "loss.logits_type=float32") for value in ("false", "true")
    ]
    for rows in (3, 2):
        losses = [float(learner.learn(step(rows))[0]) for learner in learners]
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_without_a_compiler_to_compile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match=r"needs a C[+][+] compiler, and no-such-compiler is not here"):
        make_learner("training.compile=true")


@pytest.mark.parametrize("loss", ["full", "sampled"])
def test_after_a_step_items_are_ranked_by_what_was_learned(loss: str) -> None:
    """The vectors with features that validation ranks by are kept as long as nothing is learned."""
    learner = make_learner(f"loss.kind={loss}")
    table = learner.model.table
    before = table.fixed_rows().clone()
    for _ in range(2):
        learner.learn(step())
        torch.testing.assert_close(table.fixed_rows(), table.all_rows().detach())
    assert not torch.equal(table.fixed_rows(), before)
