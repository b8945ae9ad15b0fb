"""Rows of the sequences table from sorted events, by hand."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from sequoia.sequences.histories import history_rows


def rows(
    events: list[tuple[int, int, int]], *, cuts: tuple[int, int], max_events: int
) -> list[dict[str, Any]]:
    users, items, times = zip(*events, strict=True)
    size = len(events)
    table = pa.table(
        {
            "user_id": pa.array(users, pa.int64()),
            "item_id": pa.array(items, pa.int64()),
            "time": pa.array(times, pa.int64()),
            "rating": pa.array([float(item % 5 + 1) for item in items], pa.float32()),
            "category": pa.array([item * 10 for item in items], pa.int32()),
            "brand": pa.array([1] * size, pa.int32()),
            "price_bucket": pa.array([0] * size, pa.int32()),
        }
    )
    batch = history_rows(table, cuts=cuts, max_events=max_events)
    return pa.Table.from_batches([batch]).to_pylist()


def test_each_user_becomes_one_row_with_both_splits() -> None:
    events = [(3, 7, 10), (3, 8, 20), (3, 7, 30), (3, 9, 40), (5, 2, 5), (5, 3, 25), (6, 4, 99)]
    first, second, third = rows(events, cuts=(20, 40), max_events=10)
    assert first["user_id"] == 3
    assert first["items"] == [7, 8, 7, 9]
    assert first["times"] == [10, 20, 30, 40]
    assert first["ratings"] == [3, 4, 3, 5]
    assert first["categories"] == [70, 80, 70, 90]
    positions = ("length", "loo_train", "time_train", "time_valid")
    assert [first[name] for name in positions] == [4, 2, 1, 3]
    # Two events are too few to hold two out: all train.
    assert [second[name] for name in positions] == [2, 2, 1, 2]
    assert [third[name] for name in positions] == [1, 1, 0, 0]


def test_a_long_history_keeps_its_newest_events() -> None:
    events = [(1, item, item) for item in range(1, 4)] + [(2, item, item) for item in range(1, 9)]
    short, long = rows(events, cuts=(3, 7), max_events=5)
    assert short["items"] == [1, 2, 3]
    assert long["items"] == long["times"] == [4, 5, 6, 7, 8]
    assert long["categories"] == [40, 50, 60, 70, 80]
    assert (long["length"], long["loo_train"], long["time_train"], long["time_valid"]) == (5, 3, 0, 3)
