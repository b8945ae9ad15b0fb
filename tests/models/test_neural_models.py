"""What every neural model promises: causal states that depend on nothing but their own sequence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.modelling.histories import Histories
from sequoia.modelling.names import model_names
from sequoia.modelling.registry import find_model, fits_itself, load_model
from sequoia.models.sasrec import SasRec
from sequoia.neural.batch import batch_of_histories
from sequoia.neural.model import NeuralModel

NUM_ROWS, LENGTH = 40, 8
KINDS = [kind for kind in model_names() if not fits_itself(kind)]


def settings_of(kind: str, **changes: Any) -> dict[str, Any]:
    shipped = getattr(load_config().models, kind).model_dump()
    return {**shipped, "width": 16, "max_length": LENGTH, "dropout": 0.0, **changes}


def make(kind: str, **changes: Any) -> NeuralModel:
    torch.manual_seed(1)
    model: NeuralModel = find_model(kind).make(settings_of(kind, **changes), NUM_ROWS)  # type: ignore[attr-defined]
    for parameter in model.parameters():
        # Larger than the initial values, zero biases included, so that every part shows in the states.
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def states(model: NeuralModel, *sequences: list[int], row_length: int = LENGTH) -> list[Tensor]:
    batch = batch_of_histories(Histories.of(sequences), row_length)
    return list(model.encode(batch).split([len(sequence) for sequence in sequences]))


def test_there_are_some() -> None:
    assert {"sasrec", "gru4rec"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_sees_earlier_events_and_no_later_one(kind: str) -> None:
    model = make(kind)
    (known,) = states(model, [5, 6, 7, 8])
    (later_changed,) = states(model, [5, 6, 7, 9])
    (earlier_changed,) = states(model, [4, 6, 7, 8])
    torch.testing.assert_close(known[:3], later_changed[:3])
    assert not torch.allclose(known[3], later_changed[3])
    assert not torch.allclose(known[3], earlier_changed[3])


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_earlier_events_matters(kind: str) -> None:
    model = make(kind)
    (one,), (other,) = states(model, [5, 6, 7]), states(model, [6, 5, 7])
    assert not torch.allclose(one[-1], other[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_neither_packing_nor_company_matters(kind: str) -> None:
    model = make(kind)
    sequences = [[5, 6], [7, 8, 9], [10], [11, 12, 13, 14, 15, 16, 17, 18]]
    alone = [states(model, sequence)[0] for sequence in sequences]
    torch.testing.assert_close(states(model, *sequences), alone)
    torch.testing.assert_close(states(model, *sequences[::-1]), alone[::-1])
    torch.testing.assert_close(states(model, *sequences[:3], row_length=3), alone[:3])


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_comes_from_the_keys_of_the_events(kind: str) -> None:
    model = make(kind, dropout=0.5)
    batch = batch_of_histories(Histories.of([[5, 6, 7]]), LENGTH)
    assert torch.equal(model.encode(batch), model.encode(batch))
    keys = ([911, 77, -5], [911, 77, -5], [912, 77, -5])
    first, again, other = (
        model.encode(replace(batch, keys_T=torch.tensor(key, dtype=torch.int32))) for key in keys
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, model.encode(batch))


@pytest.mark.parametrize("kind", KINDS)
def test_preferences_are_of_the_newest_state_and_outlive_the_folder(kind: str, tmp_path: Path) -> None:
    model = make(kind)
    histories = Histories.of([[3, 5, 7], [*range(2, 10)]])
    rows = np.tile(np.arange(NUM_ROWS), (2, 1))
    scores = model.preferences(histories).of(rows)
    (newest,) = states(model, [3, 5, 7])
    np.testing.assert_allclose(scores[0, 2:], (newest[-1] @ model.table.all_rows()[2:].T).detach(), atol=1e-5)
    assert np.isneginf(scores[:, :2]).all()
    assert np.isfinite(scores[:, 2:]).all()
    model.save(tmp_path, extra={})
    np.testing.assert_array_equal(load_model(tmp_path).preferences(histories).of(rows), scores)


@pytest.mark.parametrize("kind", KINDS)
def test_no_items_are_refused(kind: str) -> None:
    with pytest.raises(UserError, match="num_rows 2 leaves no item"):
        find_model(kind).make(settings_of(kind), 2)  # type: ignore[attr-defined]


def test_heads_that_do_not_share_the_width_are_refused() -> None:
    with pytest.raises(ValidationError, match="width 16 is no multiple of heads 3: change one of them"):
        SasRec.make(settings_of("sasrec", heads=3), NUM_ROWS)
