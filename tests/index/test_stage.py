"""Ids of a log that grows, shrinks and is read again."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from sequences.log import Event, contents, write_log

from sequoia.buckets.strings import hash_strings
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


def by_hash(*keys: str) -> list[str]:
    hashes = hash_strings(pa.array(keys)).first.tolist()
    return [key for _, key in sorted(zip(hashes, keys, strict=True))]


def test_ids_follow_the_ranks_and_stay_when_data_arrive(make_context: Callable[..., Context]) -> None:
    context = make_context()
    write_log(context, LOG, items=ITEMS)
    first = contents(context, *TABLES)
    # (key, id, rank, events): most events first, equals by hash; padding and unknown come before.
    assert first["item_index"] == [("jam", 4, 3, 1), ("oil", 3, 2, 2), ("tea", 2, 1, 3)]
    events = {"ann": 2, "bob": 1, "cat": 2}
    users = {user: number for number, user in enumerate(by_hash(*events), start=2)}
    assert first["user_index"] == [(user, users[user], events[user]) for user in events]
    # Of these equals are told apart by name.
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
    jam, ale = (by_hash("ale", "jam").index(name) for name in ("jam", "ale"))
    assert contents(context, "item_index")["item_index"] == [
        ("ale", 6, 3 + ale, 1),
        ("jam", 4, 3 + jam, 1),
        ("oil", 3, 5, 0),
        ("rye", 5, 1, 9),
        ("tea", 2, 2, 3),
    ]
    assert contents(context, "user_index")["user_index"] == [
        ("abe", 5, 1),
        ("ann", users["ann"], 2),
        ("bob", users["bob"], 10),
        ("cat", users["cat"], 1),
    ]
    assert run(context).details["active"] == {"users": 4, "items": 4}


def test_no_interactions_are_refused(make_context: Callable[..., Context]) -> None:
    with pytest.raises(UserError, match="interactions holds 0 rows"):
        write_log(make_context(), [])
