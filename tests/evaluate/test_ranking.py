from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from sequoia.errors import UserError
from sequoia.evaluate.ranking import hide_seen, rank_among, rank_targets, score_problems, top_rows

INFINITE = -math.inf


def row(*items: float) -> np.ndarray:
    return np.array([[INFINITE, INFINITE, *items]], dtype=np.float32)


def rank_of(target: int, seen: list[int], *items: float) -> int:
    ranks, _ = rank_targets(row(*items), np.array([target]), [np.array(seen, dtype=np.int64)], k=1)
    return int(ranks[0])


def test_ties_count_against_the_target() -> None:
    assert rank_of(3, [], 0.5, 0.5, 0.1, 0.5) == 3
    assert rank_of(4, [], 0.0, 0.0, 0.0) == 3


def test_seen_items_do_not_count() -> None:
    assert rank_of(4, [2, 3], 9.0, 9.0, 0.1, 0.5) == 2


def test_what_cannot_be_recommended_is_a_miss_even_among_three_items() -> None:
    assert rank_of(3, [3], 0.1, 9.0, 0.1) == 21
    assert rank_of(1, [], 0.1, 9.0, 0.1) == 21
    assert rank_of(4, [], 0.1, 9.0, INFINITE) == 21


def test_a_miss_ranks_behind_all_items() -> None:
    assert rank_of(3, [3], *np.arange(40.0)) == 41


def test_nan_is_refused_with_the_remedy() -> None:
    with pytest.raises(UserError, match=r"NaN for 1 users.*learning_rate"):
        rank_of(2, [], 0.1, math.nan)


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ((0.1, math.nan), "nan"),
        ((math.nan, math.nan), "nan"),
        ((0.5, 0.5, 0.5), "constant"),
        ((INFINITE, INFINITE), "constant"),
        ((0.5, 0.6), None),
        ((INFINITE, 0.5), None),
        ((0.5,), None),  # a single item has nothing to differ from
    ],
)
def test_scores_that_rank_nothing_are_named(items: tuple[float, ...], problem: str | None) -> None:
    assert score_problems(row(*items)) == [problem]


def test_top_items_are_sorted_ties_by_row_and_padded_with_zero() -> None:
    assert top_rows(row(0.5, 0.9, 0.5, 0.5), 3).tolist() == [[3, 2, 4]]
    assert top_rows(row(0.5, INFINITE, 0.7), 4).tolist() == [[4, 2, 0, 0]]
    assert top_rows(row(0.5), 9).tolist() == [[2, 0, 0, 0, 0, 0, 0, 0, 0]]


def test_unknown_candidates_are_behind_a_known_target_and_all_are_ahead_of_an_unknown_one() -> None:
    scores = row(0.5, 0.9, 0.4)
    assert rank_among(scores, np.array([2]), [np.array([1, 3, 4, 1])]).tolist() == [2]
    assert rank_among(scores, np.array([1]), [np.arange(2, 5)]).tolist() == [21]


@st.composite
def case(draw: DrawFn) -> tuple[list[float], int, list[int], int]:
    # Few different values make many ties.
    items = draw(
        st.lists(st.sampled_from([INFINITE, -1.0, 0.0, 0.5, 2.0, math.inf]), min_size=1, max_size=40)
    )
    target = draw(st.integers(1, len(items) + 1))
    seen = draw(st.lists(st.integers(1, len(items) + 1), max_size=10))
    return items, target, seen, draw(st.integers(1, 45))


@settings(deadline=None)
@given(case())
def test_ranks_and_top_items_equal_a_plain_loop(drawn: tuple[list[float], int, list[int], int]) -> None:
    items, target, seen, k = drawn
    scores = dict(enumerate(items, start=2))
    unseen = {item: score for item, score in scores.items() if item not in seen}
    if unseen.get(target, INFINITE) == INFINITE:
        expected = max(len(items), 20) + 1
    else:
        expected = 1 + sum(score >= unseen[target] for item, score in unseen.items() if item != target)
    best = sorted((i for i in unseen if unseen[i] > INFINITE), key=lambda item: (-unseen[item], item))[:k]
    ranks, top = rank_targets(row(*items), np.array([target]), [np.array(seen, dtype=np.int64)], k)
    assert ranks.tolist() == [expected]
    assert top.tolist() == [best + [0] * (k - len(best))]


@settings(deadline=None)
@given(case(), st.lists(st.integers(1, 41), max_size=20))
def test_sampled_ranks_equal_a_plain_loop(
    drawn: tuple[list[float], int, list[int], int], rows: list[int]
) -> None:
    items, target, _, _ = drawn
    candidates = [candidate for candidate in rows if candidate < len(items) + 2 and candidate != target]
    scores = row(*items)
    hide_seen(scores, [np.array([], dtype=np.int64)])
    values = dict(enumerate(scores[0].tolist()))
    if values[target] == INFINITE:
        expected = max(len(candidates), 20) + 1
    else:
        expected = 1 + sum(values[candidate] >= values[target] for candidate in candidates)
    found = rank_among(scores, np.array([target]), [np.array(candidates, dtype=np.int64)])
    assert found.tolist() == [expected]
