from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from evaluate.world import RAW, save_counting

from sequoia.recommend.lists import cut, kept_lists
from sequoia.recommend.served_model import ServedModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """Recommends the next item on the ring, then the most popular: i00, i01, ..."""
    return ServedModel(save_counting(tmp_path_factory.mktemp("served") / "counting", step=1))


def top(model: ServedModel, history: list[str], k: int) -> list[str]:
    found = model.recommend([model.rows_of(pa.array(history, pa.string()))], k)
    rows = found.rows_BK[0]
    return [str(item) for item in model.items_of(rows[rows > 0]).to_pylist()]


def test_the_next_item_comes_first_and_seen_items_never(model: ServedModel) -> None:
    assert top(model, ["i00", "i10"], 3) == ["i11", "i01", "i02"]


def test_unknown_items_are_passed_over(model: ServedModel) -> None:
    assert top(model, ["nobody", "i10", "nobody"], 2) == ["i11", "i00"]


def test_without_a_known_item_the_most_popular_are_recommended(model: ServedModel) -> None:
    found = model.recommend([np.array([], dtype=np.int64), np.array([1, 1]), np.array([5])], 2)
    assert found.rows_BK.tolist() == [[2, 3], [2, 3], [6, 2]]
    assert found.scores_BK[:2].tolist() == [[100.0, 99.0]] * 2
    assert found.known_B.tolist() == [False, False, True]


def test_an_item_seen_long_ago_is_not_recommended_though_the_model_looks_at_one_event(
    model: ServedModel,
) -> None:
    assert "i00" not in top(model, [*RAW[:5], "i29"], 25)


def test_fewer_items_than_k_give_a_shorter_list(model: ServedModel) -> None:
    assert top(model, RAW[:28], 10) == ["i28", "i29"]


def test_users_come_back_in_their_order_whatever_the_batches(
    model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    histories = [rng.integers(2, 32, size=rng.integers(0, 6)) for _ in range(50)]
    whole = model.recommend(histories, 4).rows_BK
    monkeypatch.setattr("sequoia.recommend.served_model.MAX_SCORE_BYTES", 3 * 4 * model.num_rows)
    assert max(len(batch) for batch in model.batches(histories)) == 3
    assert np.array_equal(model.recommend(histories, 4).rows_BK, whole)


def test_lists_are_cut_where_the_column_says_also_when_it_is_a_slice() -> None:
    column = pa.array([[9], [1, 2], None, [], [3]], pa.list_(pa.int64())).slice(1)
    assert [part.tolist() for part in cut(column.flatten().to_numpy(), column)] == [[1, 2], [], [], [3]]
    assert cut(np.array([], dtype=np.int64), pa.array([], pa.list_(pa.int64()))) == []


def test_kept_places_become_lists() -> None:
    kept = np.array([[True, False], [False, False], [True, True]])
    assert kept_lists(pa.array([1, 2, 3]), kept).to_pylist() == [[1], [], [2, 3]]
