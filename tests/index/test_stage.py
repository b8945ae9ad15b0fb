"""Ids of a log that grows, shrinks and is read again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sequences.log import Event, contents, write_log

from sequoia.errors import UserError
from sequoia.index.stage import run
from sequoia.road.stage import Context

pytestmark = [pytest.mark.spark, pytest.mark.delta]

TABLES = ("item_index", "user_index", "category_index", "brand_index")
LOG: list[Event] = [
    ("ann", "tea", 1, None),
    ("ann", "jam", 2, None),
    ("bob", "tea", 1, None),
    ("cat", "tea", 1, None),
    ("cat", "oil", 1, None),
    (None, "oil", 9, None),
]
ITEMS = [
    {"item": "tea", "category": "drinks", "brand": "Zest"},
    {"item": "jam", "category": "food", "brand": "Abel"},
    {"item": "oil", "category": "food"},
    {"item": "rye", "category": "food", "brand": "Abel"},
]


def test_ids_follow_the_ranks_and_stay_when_data_arrive(make_context: Callable[..., Context]) -> None:
    context = make_context()
    write_log(context, LOG, items=ITEMS)
    first = contents(context, *TABLES)
    # (key, id, rank, events): most events first, equals by key; padding and unknown come before.
    assert first["item_index"] == [("jam", 4, 3, 1), ("oil", 3, 2, 2), ("tea", 2, 1, 3)]
    assert first["user_index"] == [("ann", 2, 1, 2), ("bob", 4, 3, 1), ("cat", 3, 2, 2)]
    assert first["category_index"] == [("drinks", 3, 2, 1), ("food", 2, 1, 3)]
    assert first["brand_index"] == [("Abel", 2, 1, 2), ("Zest", 3, 2, 1)]

    result = run(context)
    assert contents(context, *TABLES) == first
    assert (result.rows_in, result.rows_out) == (6, 10)
    assert result.details["new"] == {"item": 0, "user": 0, "category": 0, "brand": 0}
    assert result.details["without_user"] == 1

    more: list[Event] = [("bob", "rye", day, None) for day in range(9)] + [("abe", "ale", 1, None)]
    without_oil = [event for event in LOG if event[1] != "oil"]
    write_log(context, without_oil + more, items=ITEMS, partitions=3)
    assert contents(context, "item_index")["item_index"] == [
        ("ale", 6, 3, 1),
        ("jam", 4, 4, 1),
        ("oil", 3, 5, 0),
        ("rye", 5, 1, 9),
        ("tea", 2, 2, 3),
    ]
    assert contents(context, "user_index")["user_index"] == [
        ("abe", 5, 3, 1),
        ("ann", 2, 2, 2),
        ("bob", 4, 1, 10),
        ("cat", 3, 4, 1),
    ]


def test_no_interactions_are_refused(make_context: Callable[..., Context]) -> None:
    with pytest.raises(UserError, match="interactions holds 0 rows"):
        write_log(make_context(), [])
