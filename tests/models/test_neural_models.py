"""What every neural model promises: causal states that depend on nothing but their own sequence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.modelling.features import FeatureSettings
from sequoia.modelling.folder import event_columns_of
from sequoia.modelling.histories import Histories
from sequoia.modelling.item_index import ItemIndex
from sequoia.modelling.names import model_names
from sequoia.modelling.recommender import Recommender
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
def test_products_in_bfloat16_come_to_about_the_same(kind: str) -> None:
    model = make(kind, dropout=0.3)
    for parameter in model.parameters():
        parameter.data.mul_(0.3)
    histories = batch_of_histories(Histories.of([[5, 6, 7], [8, 9]]), LENGTH)
    batch = replace(histories, keys_T=torch.arange(5, dtype=torch.int32) * 7919)
    exact = model.encode(batch)
    with torch.autocast("cpu", torch.bfloat16):
        lower = model.encode(batch).float()
    assert not torch.equal(lower, exact)
    assert torch.nn.functional.cosine_similarity(lower, exact).min() > 0.99
    lower.sum().backward()
    assert all(one.grad is None or one.grad.dtype == torch.float32 for one in model.parameters())


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


def index(kind_of_item: int) -> ItemIndex:
    rows = np.arange(2, NUM_ROWS)
    categories = np.select([rows == 5, rows == 9], [kind_of_item, 3], 2)
    table = {"row": rows, "item_id": rows, "item": rows.astype(str), "events": rows, "category": categories}
    return ItemIndex(pa.table(table))


def with_features(kind: str, kind_of_item: int = 3) -> NeuralModel:
    model = make(kind)
    torch.manual_seed(2)
    model.add_features(FeatureSettings(items=["category"], events=["gap", "rating"]), index(kind_of_item))
    for parameter in (*model.table.features.parameters(), *model.event_features.parameters()):
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_features_of_an_event_matter_from_there_on_and_not_before(kind: str) -> None:
    model = with_features(kind)

    def states_with(days: list[int], stars: list[float]) -> Tensor:
        features = {"times": np.array(days) * 86_400_000, "ratings": np.array(stars, np.float32)}
        return model.encode(batch_of_histories(replace(Histories.of([[5, 6, 7]]), features=features), LENGTH))

    known = states_with([1, 2, 9], [5.0, 1.0, 3.0])
    for other in (states_with([1, 4, 9], [5.0, 1.0, 3.0]), states_with([1, 2, 9], [5.0, 2.0, 3.0])):
        torch.testing.assert_close(known[0], other[0])
        assert not torch.allclose(known[1], other[1])


@pytest.mark.parametrize("kind", KINDS)
def test_features_of_an_item_matter_where_it_is_read_and_where_it_is_ranked(kind: str) -> None:
    one, other = with_features(kind, 2), with_features(kind, 3)
    everything = np.arange(2, NUM_ROWS)[None]
    unread, read = Histories.of([[6, 7]]), Histories.of([[5, 7]])
    for model in (one, other):
        model.event_features = None
    differs = one.preferences(unread).of(everything) != other.preferences(unread).of(everything)
    assert np.flatnonzero(differs[0]).tolist() == [3]
    assert (one.preferences(read).of(everything) != other.preferences(read).of(everything)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_features_outlives_the_folder_and_is_told_what_is_known(
    kind: str, tmp_path: Path
) -> None:
    model, items = with_features(kind), index(3)
    model.save(tmp_path, extra={})
    pq.write_table(items._table, tmp_path / "items.parquet")
    times = np.array([3, 9]) * 86_400_000
    told = replace(Histories.of([[5, 6]]), features={"times": times, "ratings": np.ones(2, np.float32)})
    first, again = Recommender(model, items), Recommender.read(tmp_path)
    answers = [one.recommend(told, 5).best.scores_BK for one in (first, again)]
    np.testing.assert_array_equal(*answers)
    assert event_columns_of(tmp_path) == again.event_columns == ["times", "ratings"]
    untold = again.recommend(Histories.of([[5, 6]]), 5).best.scores_BK
    assert (untold != answers[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_items_are_refused(kind: str) -> None:
    with pytest.raises(UserError, match="num_rows 2 leaves no item"):
        find_model(kind).make(settings_of(kind), 2)  # type: ignore[attr-defined]


def test_heads_that_do_not_share_the_width_are_refused() -> None:
    with pytest.raises(ValidationError, match="width 16 is no multiple of heads 3: change one of them"):
        SasRec.make(settings_of("sasrec", heads=3), NUM_ROWS)
