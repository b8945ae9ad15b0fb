"""The k-core of small graphs: known ones, and any against a filter that drops one node at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sequoia.sequences.core_in_memory import Round, arrow_core, arrow_rounds, drop_in_rounds

Pair = tuple[int, int]


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


def columns(pairs: dict[Pair, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    users, items = zip(*pairs, strict=True)
    return np.array(users), np.array(items), np.array(list(pairs.values()))


def test_checkerboard_without_its_corner_stays() -> None:
    # Every user has the two items of their colour, every item two users.
    board = {(user, item): 1 for user in range(4) for item in range(4) if (user + item) % 2 == 0}
    alive, rounds = drop_in_rounds(*columns(board), k=2, max_rounds=10)
    assert alive.all()
    assert rounds == [Round(users=4, items=4, interactions=8)] * 2


def test_staircase_falls_step_by_step() -> None:
    # User u has the items u and u + 1: the ends of the chain are weak, and make their neighbours weak.
    stairs = {(user, user + step): 1 for user in range(5) for step in (0, 1)}
    alive, rounds = drop_in_rounds(*columns(stairs), k=2, max_rounds=10)
    assert not alive.any()
    # Items 0 and 5 fall first, then users 0 and 4, then items 1 and 4, and so on.
    assert [(one.users, one.items, one.interactions) for one in rounds] == [
        (5, 6, 10),
        (5, 4, 8),
        (3, 4, 6),
        (3, 2, 4),
        (1, 2, 2),
        (0, 0, 0),
    ]


def test_repeated_interactions_of_a_pair_count_each() -> None:
    alive, rounds = drop_in_rounds(*columns({(1, 1): 3, (2, 2): 2}), k=3, max_rounds=10)
    assert alive.tolist() == [True, False]
    assert rounds[-1] == Round(users=1, items=1, interactions=3)


def test_too_few_rounds_end_without_a_fixed_point() -> None:
    stairs = {(user, user + step): 1 for user in range(9) for step in (0, 1)}
    _, rounds = drop_in_rounds(*columns(stairs), k=2, max_rounds=2)
    assert rounds[-1] != rounds[-2]
    assert rounds[-1].interactions > 0


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(0, 7)), st.integers(1, 3), min_size=1, max_size=40
)


@given(PAIRS, st.integers(1, 6))
def test_any_graph_has_the_core_of_the_slow_filter(pairs: dict[Pair, int], k: int) -> None:
    alive, rounds = drop_in_rounds(*columns(pairs), k=k, max_rounds=1000)
    left = {pair for pair, stays in zip(pairs, alive, strict=True) if stays}
    assert left == slow_core(pairs, k)
    users, items = {user for user, _ in left}, {item for _, item in left}
    total = sum(pairs[pair] for pair in left)
    assert rounds[-1] == Round(users=len(users), items=len(items), interactions=total)
    assert rounds[0].interactions == sum(pairs.values())
    sizes = [one.interactions for one in rounds]
    assert sizes[:-1] == sorted(set(sizes), reverse=True) or sizes == sorted(set(sizes), reverse=True)


def test_arrow_functions_take_the_batches_together() -> None:
    stairs = {(user, user + step): 1 for user in range(5) for step in (0, 1)}
    board = {(user, item): 1 for user in (10, 12) for item in (10, 12)}
    users, items, events = columns(stairs | board)
    table = pa.table({"user_id": users, "item_id": items, "events": events})
    batches = table.to_batches(max_chunksize=3)
    core = pa.Table.from_batches(arrow_core(k=2, max_rounds=10)(batches))
    assert set(zip(core["user_id"].to_pylist(), core["item_id"].to_pylist(), strict=True)) == set(board)
    counted = pa.Table.from_batches(arrow_rounds(k=2, max_rounds=10)(batches)).to_pylist()
    assert counted[0] == {"round": 0, "users": 7, "items": 8, "interactions": 14}
    assert counted[-1] == {"round": len(counted) - 1, "users": 2, "items": 2, "interactions": 4}
