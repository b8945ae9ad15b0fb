"""The transformer is causal, blind to packing, and knows distances only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sequoia.errors import UserError
from sequoia.models.sasrec import SasRec
from sequoia.models.sasrec_settings import SasRecSettings
from sequoia.neural.batch import batch_of_histories

NUM_ROWS = 40


def _settings(**changes: object) -> SasRecSettings:
    values = {"width": 16, "blocks": 2, "heads": 2, "max_length": 8, "dropout": 0.0}
    return SasRecSettings.model_validate({**values, **changes})


@pytest.fixture
def model() -> SasRec:
    torch.manual_seed(1)
    model = SasRec(_settings(), NUM_ROWS)
    for parameter in model.parameters():
        # Larger than the initial values, zero biases included, so that every part shows in the states.
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def states(model: SasRec, *sequences: list[int], row_length: int = 8) -> list[Tensor]:
    batch = batch_of_histories([np.array(sequence) for sequence in sequences], row_length)
    return list(model.encode(batch).split([len(sequence) for sequence in sequences]))


def test_a_state_sees_earlier_events_and_no_later_one(model: SasRec) -> None:
    (known,) = states(model, [5, 6, 7, 8])
    (later_changed,) = states(model, [5, 6, 7, 9])
    (earlier_changed,) = states(model, [4, 6, 7, 8])
    torch.testing.assert_close(known[:3], later_changed[:3])
    assert not torch.allclose(known[3], later_changed[3])
    assert not torch.allclose(known[3], earlier_changed[3])


def test_the_order_of_earlier_events_matters(model: SasRec) -> None:
    (one,), (other,) = states(model, [5, 6, 7]), states(model, [6, 5, 7])
    assert not torch.allclose(one[-1], other[-1])


def test_neither_packing_nor_padding_nor_company_matters(model: SasRec) -> None:
    (first,), (second,) = states(model, [5, 6]), states(model, [7, 8, 9])
    together = states(model, [5, 6], [7, 8, 9])
    assert len(together) == 2
    torch.testing.assert_close(together, [first, second])
    torch.testing.assert_close(states(model, [5, 6], [7, 8, 9], row_length=3), [first, second])


def test_dropout_is_the_batch_s_own() -> None:
    model = SasRec(_settings(dropout=0.5), NUM_ROWS)
    batch = batch_of_histories([np.array([5, 6, 7])], 8)
    assert torch.equal(model.encode(batch), model.encode(batch))
    batches = [
        type(batch)(**{**vars(batch), "keys_T": torch.tensor(keys, dtype=torch.int32)})
        for keys in ([911, 77, -5], [911, 77, -5], [912, 77, -5])
    ]
    first, again, other = (model.encode(one) for one in batches)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, model.encode(batch))


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(UserError, match="width 16 is no multiple of heads 3"):
        SasRec(_settings(heads=3), NUM_ROWS)
    with pytest.raises(UserError, match="num_rows 2"):
        SasRec(_settings(), 2)
