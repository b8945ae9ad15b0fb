"""Answers from a few votes equal those of a ranking of all items by the book."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from modelling.oracle import check, questions

from sequoia.modelling.histories import Histories
from sequoia.modelling.votes import Tail, Votes

# Few different values make many ties.
TAILS, VOTES = [0.0, 0.125, 0.25, 0.5], [1.0, 1.5, 2.0]


def votes_of(given: list[dict[int, float]], tail: Tail) -> Votes:
    flat = [(user, row, vote) for user, votes in enumerate(given) for row, vote in sorted(votes.items())]
    users, rows = (np.array([one[of] for one in flat], np.int64) for of in (0, 1))
    return Votes(users, rows, np.array([one[2] for one in flat], np.float32), len(given), tail)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_every_answer_is_that_of_a_plain_ranking(data: st.DataObject) -> None:
    tail = data.draw(st.lists(st.sampled_from(TAILS), min_size=1, max_size=30))
    rows = st.integers(2, len(tail) + 1)
    given = data.draw(st.lists(st.dictionaries(rows, st.sampled_from(VOTES)), min_size=1, max_size=4))
    targets, seen, k = data.draw(questions(len(given), len(tail)))
    scores = [[votes.get(row, tail[row - 2]) for row in range(2, len(tail) + 2)] for votes in given]
    check(votes_of(given, Tail(np.array([0, 0, *tail]))), scores, targets, seen, k)


def test_without_votes_all_follow_the_tail_and_rows_that_are_no_items_never_do() -> None:
    best = Votes.nothing(2, Tail(np.array([9, 9, 1, 3, 2.0]))).best(3, Histories.of([[], [3]]))
    assert best.rows_BK.tolist() == [[3, 4, 2], [4, 2, 0]]


def test_scores_that_are_no_numbers_show() -> None:
    ranked = Votes.nothing(1, Tail(np.array([0, 0, 1, np.nan]))).rank(np.array([[2]]), 2, Histories.of([[]]))
    assert np.isnan(ranked.lowest_B + ranked.highest_B).all()
