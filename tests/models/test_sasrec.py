"""The transformer is causal, blind to padding and packing, and knows distances only."""

from __future__ import annotations

import pytest
import torch

from sequoia.errors import UserError
from sequoia.models.sasrec import SasRec
from sequoia.models.sasrec_settings import SasRecSettings

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
    return model.eval()


def test_states_do_not_depend_on_padding(model: SasRec) -> None:
    long = model(torch.tensor([[0, 0, 0, 0, 0, 5, 6, 7]]))
    short = model(torch.tensor([[5, 6, 7]]))
    torch.testing.assert_close(long[:, -3:], short)
    assert torch.isfinite(long).all()


def test_a_state_sees_earlier_events_and_no_later_one(model: SasRec) -> None:
    states = model(torch.tensor([[5, 6, 7, 8]]))
    later_changed = model(torch.tensor([[5, 6, 7, 9]]))
    earlier_changed = model(torch.tensor([[4, 6, 7, 8]]))
    torch.testing.assert_close(states[:, :3], later_changed[:, :3])
    assert not torch.allclose(states[:, 3], later_changed[:, 3])
    assert not torch.allclose(states[:, 3], earlier_changed[:, 3])


def test_the_order_of_earlier_events_matters(model: SasRec) -> None:
    assert not torch.allclose(
        model(torch.tensor([[5, 6, 7]]))[:, -1], model(torch.tensor([[6, 5, 7]]))[:, -1]
    )


def test_packed_sequences_do_not_see_each_other(model: SasRec) -> None:
    packed = model.encode(torch.tensor([[5, 6, 7, 8, 9, 0]]), torch.tensor([[1, 1, 2, 2, 2, 0]]))
    torch.testing.assert_close(packed[:, :2], model(torch.tensor([[5, 6]])))
    torch.testing.assert_close(packed[:, 2:5], model(torch.tensor([[7, 8, 9]])))


def test_user_state_is_the_last_state_of_the_newest_events(model: SasRec) -> None:
    items = torch.tensor([[0, 0, 0, 0, 0, 0, 0, 3, 5], [2, 3, 4, 5, 6, 7, 8, 9, 10]])
    states = model.user_state(items)
    torch.testing.assert_close(states[0], model(torch.tensor([[3, 5]]))[0, -1])
    torch.testing.assert_close(states[1], model(items[1:, 1:])[0, -1])


def test_a_user_without_events_gets_a_finite_state(model: SasRec) -> None:
    assert torch.isfinite(model.user_state(torch.zeros(1, 8, dtype=torch.int64))).all()


def test_item_vectors_are_the_input_embeddings(model: SasRec) -> None:
    assert model.item_vectors() is model.items.weight
    assert model.item_vectors().shape == (NUM_ROWS, 16)


def test_the_seed_fixes_weights_and_dropout() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        states.append(SasRec(_settings(dropout=0.5), NUM_ROWS)(torch.tensor([[5, 6, 7]])))
    assert torch.equal(states[0], states[1])


def test_settings_that_cannot_work_are_refused(model: SasRec) -> None:
    with pytest.raises(UserError, match="width 16 is no multiple of heads 3"):
        SasRec(_settings(heads=3), NUM_ROWS)
    with pytest.raises(UserError, match="num_rows 2"):
        SasRec(_settings(), 2)
    with pytest.raises(UserError, match="length 9 exceeds max_length 8"):
        model(torch.ones(1, 9, dtype=torch.int64))
