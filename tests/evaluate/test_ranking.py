from __future__ import annotations

import math

import numpy as np
import pytest

from sequoia.evaluate.ranking import full_ranks, sampled_ranks, score_problems
from sequoia.modelling.preferences import Best, Ranked

INFINITE = math.inf


def ranked(
    ahead: int = 0,
    level: int = 0,
    wanted: tuple[float, ...] = (0.5,),
    low: float = 0.0,
    high: float = 1.0,
) -> Ranked:
    return Ranked(
        best=Best.nothing(1, 1),
        ahead_B=np.array([ahead]),
        level_B=np.array([level]),
        wanted_BC=np.array([wanted], np.float32),
        lowest_B=np.array([low], np.float32),
        highest_B=np.array([high], np.float32),
    )


def test_ties_count_against_the_target() -> None:
    assert full_ranks(ranked(ahead=3, level=2), 40).tolist() == [6]


@pytest.mark.parametrize(("draw", "rank"), [(0.0, 4), (0.32, 4), (0.34, 5), (0.99, 6)])
def test_shuffled_ties_fall_anywhere_among_them(draw: float, rank: int) -> None:
    assert full_ranks(ranked(ahead=3, level=2), 40, np.array([draw])).tolist() == [rank]


@pytest.mark.parametrize(("items", "rank"), [(3, 21), (40, 41)])
def test_what_cannot_be_recommended_is_a_miss_even_among_three_items(items: int, rank: int) -> None:
    assert full_ranks(ranked(wanted=(-INFINITE,)), items).tolist() == [rank]
    assert full_ranks(ranked(low=math.nan), items).tolist() == [rank]
    assert full_ranks(ranked(high=math.nan), items, np.array([0.0])).tolist() == [rank]


def test_only_marked_candidates_count() -> None:
    asked = ranked(wanted=(0.5, 0.9, 0.5, 0.4, 0.9, -INFINITE))
    first, last = np.array([[False, True, True, True, False, False]]), np.array([[False] * 4 + [True] * 2])
    assert sampled_ranks(asked, first).tolist() == [3]
    assert sampled_ranks(asked, first, np.array([0.4])).tolist() == [2]
    # A candidate that the model does not know is behind.
    assert sampled_ranks(asked, last).tolist() == [2]


def test_all_candidates_are_ahead_of_a_target_that_cannot_be_recommended() -> None:
    assert sampled_ranks(ranked(wanted=(-INFINITE, 0.1)), np.array([[False, True]])).tolist() == [21]
    many = np.array([[False] + [True] * 30])
    assert sampled_ranks(ranked(wanted=(-INFINITE, *[0.1] * 30)), many).tolist() == [31]


@pytest.mark.parametrize(
    ("low", "high", "problem"),
    [
        (math.nan, math.nan, "nan"),
        (0.1, math.nan, "nan"),
        (0.5, 0.5, "constant"),
        (100.0, np.nextafter(np.float32(100), np.float32(200)), "constant"),  # but for the last bit
        (-INFINITE, -INFINITE, "constant"),
        (0.5, 0.5001, None),
        (-INFINITE, 0.5, None),
        (-INFINITE, INFINITE, None),
    ],
)
def test_scores_that_rank_nothing_are_named(low: float, high: float, problem: str | None) -> None:
    assert score_problems(ranked(low=low, high=high), 3) == [problem]


def test_a_single_item_has_nothing_to_differ_from() -> None:
    assert score_problems(ranked(low=0.5, high=0.5), 1) == [None]
