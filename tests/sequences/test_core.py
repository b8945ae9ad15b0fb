"""The k-core of small graphs: known ones, and any against a filter that drops one node at a time."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from sequoia.buckets.arrays import save
from sequoia.buckets.shuffle import call_tasks
from sequoia.sequences import core
from sequoia.sequences.core import Core, Round, find_core, load_flags

Pair = tuple[int, int]
ITEMS = 45


def slow_core(pairs: dict[Pair, int], k: int) -> set[Pair]:
    left = dict(pairs)
    while True:
        nodes = [("user", user) for user, _ in left] + [("item", item) for _, item in left]
        for kind, node in nodes:
            place = 0 if kind == "user" else 1
            own = [pair for pair in left if pair[place] == node]
            if sum(left[pair] for pair in own) < k:
                for pair in own:
                    del left[pair]
                break
        else:
            return set(left)


def encoded(pairs: dict[Pair, int], folder: str, pieces: int) -> tuple[list[dict[str, Any]], list[list[int]]]:
    """Leave pairs, each with its events, as encoded pieces; return them with the users of each."""
    reports, users_of = [], []
    for piece in range(pieces):
        users = sorted({user for user, _ in pairs if user % pieces == piece})
        own = [
            [item for (owner, item), count in pairs.items() if owner == user for _ in range(count)]
            for user in users
        ]
        flat, counts = [item for items in own for item in items], [len(items) for items in own]
        events = {"item": pa.array(flat, pa.int32()), "time": pa.array(flat, pa.int64())}
        events["rating"] = pa.array(flat, pa.float32())
        table = pa.table({"id": pa.array(users, pa.int64()), "events": pa.array(counts, pa.int64())})
        reports.append(
            {
                "events": save(pa.table(events), folder, f"events-{piece}"),
                "users": save(table, folder, f"users-{piece}"),
                "kept": len(flat),
                "distinct": len(users),
            }
        )
        users_of.append(users)
    return reports, users_of


def inline(*calls: partial[Any]) -> list[Any]:
    return [call() for call in calls]


def found(
    pairs: dict[Pair, int], *, k: int, pieces: int = 2, max_rounds: int = 1000
) -> tuple[Core, set[Pair]]:
    with TemporaryDirectory() as folder:
        reports, users_of = encoded(pairs, folder, pieces)
        result = find_core(inline, reports, items=ITEMS, k=k, max_rounds=max_rounds, folder=folder)
        items = load_flags(result.items)
        users = {
            user
            for path, some in zip(result.users, users_of, strict=True)
            for user, stays in zip(some, load_flags(path).tolist(), strict=True)
            if stays
        }
        return result, {(user, item) for user, item in pairs if user in users and items[item]}


def test_checkerboard_without_its_corner_stays() -> None:
    # Every user has the two items of their colour, every item two users.
    board = {(user, item): 1 for user in range(4) for item in range(4) if (user + item) % 2 == 0}
    result, left = found(board, k=2)
    assert left == set(board)
    assert result.rounds == [Round(users=4, items=4, interactions=8)] * 2
    assert result.settled


def test_staircase_falls_step_by_step() -> None:
    # User u has the items u and u + 1: the ends of the chain are weak, and make their neighbours weak.
    stairs = {(user, user + step): 1 for user in range(5) for step in (0, 1)}
    result, left = found(stairs, k=2)
    assert left == set()
    # Items 0 and 5 fall first, then users 0 and 4, then items 1 and 4, and so on.
    assert [(one.users, one.items, one.interactions) for one in result.rounds] == [
        (5, 6, 10),
        (5, 4, 8),
        (3, 4, 6),
        (3, 2, 4),
        (1, 2, 2),
        (0, 0, 0),
    ]


def test_repeated_interactions_of_a_pair_count_each() -> None:
    result, left = found({(1, 1): 3, (2, 2): 2}, k=3)
    assert left == {(1, 1)}
    assert result.rounds[-1] == Round(users=1, items=1, interactions=3)


def test_too_few_rounds_end_without_a_fixed_point() -> None:
    stairs = {(user, user + step): 1 for user in range(20) for step in (0, 1)}
    result, _ = found(stairs, k=2, max_rounds=2)
    assert not result.settled
    assert result.rounds[-1].interactions > 0


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(0, 7)), st.integers(1, 3), min_size=1, max_size=40
)


@settings(deadline=None)
@given(PAIRS, st.integers(1, 6), st.integers(1, 3))
def test_any_graph_has_the_core_of_the_slow_filter(pairs: dict[Pair, int], k: int, pieces: int) -> None:
    result, left = found(pairs, k=k, pieces=pieces)
    assert left == slow_core(pairs, k)
    users, items = {user for user, _ in left}, {item for _, item in left}
    total = sum(pairs[pair] for pair in left)
    assert result.rounds[-1] == Round(users=len(users), items=len(items), interactions=total)
    assert result.rounds[0].interactions == sum(pairs.values())
    sizes = [one.interactions for one in result.rounds]
    assert sizes[:-1] == sorted(set(sizes), reverse=True) or sizes == sorted(set(sizes), reverse=True)


@pytest.mark.spark
def test_groups_in_tasks_of_their_own_find_what_one_task_finds(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    edges = {(chance.randrange(60), chance.randrange(40)): chance.choice([1, 1, 2]) for _ in range(210)}
    alone, left = found(edges, k=4, pieces=1)
    assert 0 < len(left) < len(edges)
    monkeypatch.setattr(core, "GROUP_EVENTS", 60)
    reports, users_of = encoded(edges, str(tmp_path), 5)
    many = find_core(partial(call, spark), reports, items=ITEMS, k=4, max_rounds=100, folder=str(tmp_path))
    assert many.rounds == alone.rounds
    stay = [np.array(some)[load_flags(path)] for path, some in zip(many.users, users_of, strict=True)]
    assert {*np.concatenate(stay).tolist()} == {user for user, _ in left}
    assert {*np.flatnonzero(load_flags(many.items)).tolist()} == {item for _, item in left}


def call(spark: SparkSession, *calls: partial[Any]) -> list[Any]:
    return call_tasks(spark, calls)
