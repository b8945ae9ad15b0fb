from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from evaluate.world import RAW, save_counting

from sequoia.errors import UserError
from sequoia.modelling import recommender as module
from sequoia.modelling.histories import Histories
from sequoia.modelling.recommender import Recommender
from sequoia.modelling.votes import Tail, Votes
from sequoia.recommend.lists import histories_of, kept_lists


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """Recommends the next item on the ring, then the most popular: i00, i01, ..."""
    return Recommender.read(save_counting(tmp_path_factory.mktemp("served") / "counting", step=1))


def top(model: Recommender, history: list[str], k: int) -> list[str]:
    found = model.recommend(histories_of(model.index, pa.array([history], pa.list_(pa.string()))), k)
    rows = found.best.rows_BK[0]
    return [str(item) for item in model.index.items_of(rows[rows > 0]).to_pylist()]


def test_the_next_item_comes_first_and_seen_items_never(model: Recommender) -> None:
    assert top(model, ["i00", "i10"], 3) == ["i11", "i01", "i02"]


def test_unknown_items_are_passed_over(model: Recommender) -> None:
    assert top(model, ["nobody", "i10", "nobody"], 2) == ["i11", "i00"]


def test_without_a_known_item_the_most_popular_are_recommended(model: Recommender) -> None:
    found = model.recommend(Histories.of([[], [1, 1], [5]]), 2)
    assert found.best.rows_BK.tolist() == [[2, 3], [2, 3], [6, 2]]
    assert found.best.scores_BK[:2].tolist() == [[100.0, 99.0]] * 2
    assert found.known_B.tolist() == [False, False, True]


def test_an_item_seen_long_ago_is_not_recommended_though_the_model_looks_at_one_event(
    model: Recommender,
) -> None:
    assert "i00" not in top(model, [*RAW[:5], "i29"], 25)


def test_fewer_items_than_k_give_a_shorter_list(model: Recommender) -> None:
    assert top(model, RAW[:28], 10) == ["i28", "i29"]


def test_users_come_back_in_their_order_whatever_the_batches(
    model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    histories = Histories.of([rng.integers(1, 32, size=rng.integers(0, 6)) for _ in range(50)])
    wanted = rng.integers(0, 32, (50, 4))
    whole, ranked = model.recommend(histories, 4), model.rank(histories, wanted, 4)
    monkeypatch.setattr(module, "BATCH", 3)
    parted, ranked_in_parts = model.recommend(histories, 4), model.rank(histories, wanted, 4)
    assert np.array_equal(parted.best.rows_BK, whole.best.rows_BK)
    assert np.array_equal(parted.known_B, whole.known_B)
    for name in ("ahead_B", "level_B", "wanted_BC", "lowest_B"):
        assert np.array_equal(getattr(ranked_in_parts, name), getattr(ranked, name))
    assert np.array_equal(ranked.best.rows_BK, whole.best.rows_BK)


def test_seen_items_are_recommended_where_that_is_asked_for(model: Recommender) -> None:
    histories = Histories.of([[2, 3], [4]])
    assert model.recommend(histories, 2, hide=False).best.rows_BK.tolist() == [[4, 2], [5, 2]]


def test_scores_that_are_no_numbers_are_refused_with_the_remedy(model: Recommender) -> None:
    class Diverged:
        num_rows, max_length, event_columns = model.index.num_rows, 1, []

        def preferences(self, histories: Histories) -> Votes:
            return Votes.nothing(len(histories), Tail(np.full(self.num_rows, np.nan)))

    broken = Recommender(Diverged(), model.index)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"NaN for 1 users.*learning_rate"):
        broken.recommend(Histories.of([[2]]), 2)


def test_lists_become_histories_also_when_the_column_is_a_slice(model: Recommender) -> None:
    column = pa.array([["i09"], ["i01", "nobody"], None, [], ["i03"]], pa.list_(pa.string())).slice(1)
    assert [rows.tolist() for rows in histories_of(model.index, column).lists()] == [[3, 1], [], [], [5]]
    assert len(histories_of(model.index, column.slice(4))) == 0


def test_kept_places_become_lists() -> None:
    kept = np.array([[True, False], [False, False], [True, True]])
    assert kept_lists(pa.array([1, 2, 3]), kept).to_pylist() == [[1], [], [2, 3]]
