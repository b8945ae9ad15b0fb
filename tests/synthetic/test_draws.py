from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sequoia.synthetic.calendar_days import FIRST_DAY, LAST_DAY, spread
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.identifiers import asins, user_ids

MANY = np.arange(200_000)


def test_draws_depend_on_every_part_of_their_name():
    draws = Draws(1, "scope")
    base = draws.bits("a", [5], 2)
    others = [
        Draws(2, "scope").bits("a", [5], 2),
        Draws(1, "other").bits("a", [5], 2),
        draws.bits("b", [5], 2),
        draws.bits("a", [6], 2),
        draws.bits("a", [5], 3),
    ]
    assert all((other != base).all() for other in others)
    assert (draws.bits("a", [4, 5, 6], 2)[1:2] == base).all()


def test_uniform_numbers_fill_their_range_evenly():
    values = Draws(1, "scope").uniform("a", MANY, 3)
    counts = np.bincount((values * 20).astype(int), minlength=20)
    assert 0 <= values.min() <= values.max() < 1
    assert abs(counts / len(MANY) - 0.05).max() < 0.003
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.01


def test_user_ids_are_unique_and_shaped_like_the_real_ones():
    ids = user_ids(Draws(1, "users"), MANY.astype(np.uint64)).to_pylist()
    lengths = {len(text) for text in ids}
    assert len(set(ids)) == len(MANY)
    assert {13, 14, 20} <= lengths <= set(range(10, 22))
    assert all(text[0] == "A" and text.isalnum() and text.isupper() for text in ids)
    assert 0 < sum(len(text) > 14 for text in ids) < 0.002 * len(MANY)


def test_asins_are_unique_and_some_are_isbns_with_a_leading_zero():
    ids = asins(Draws(1, "items"), MANY).to_pylist()
    assert len(set(ids)) == len(MANY)
    assert {len(text) for text in ids} == {10}
    books = [text for text in ids if text.isdigit() and text.startswith("0")]
    assert 0.07 < len(books) / len(MANY) < 0.09
    assert all(text.startswith("B00") for text in ids if not text.isdigit())


@given(
    gaps=st.lists(st.lists(st.integers(0, 2000), min_size=1, max_size=30), min_size=1, max_size=5),
    start=st.floats(0, 0.999999),
)
def test_days_stay_in_the_calendar_in_order(gaps, start):
    gaps = [[0, *user[1:]] for user in gaps]
    counts = np.array([len(user) for user in gaps])
    days = spread(np.concatenate(gaps), counts, np.full(len(gaps), start))
    assert days.min() >= FIRST_DAY
    assert days.max() <= LAST_DAY
    for user, own in zip(gaps, np.split(days, np.cumsum(counts)[:-1]), strict=True):
        steps = np.diff(own)
        assert (steps >= 0).all()
        if sum(user) <= LAST_DAY - FIRST_DAY:
            assert steps.tolist() == user[1:]
