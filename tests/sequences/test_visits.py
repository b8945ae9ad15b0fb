"""Sessions by a gap, by hand."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from sequoia.sequences.visits import cut_visits


def visits(events: list[tuple[int, int]], gap: int) -> list[dict[str, Any]]:
    users, times = zip(*events, strict=True)
    table = pa.table(
        {
            "user_id": pa.array(users, pa.int64()),
            "time": pa.array(times, pa.int64()),
            "item_id": pa.array([100 + place for place in range(len(events))], pa.int64()),
        }
    )
    return pa.Table.from_batches([cut_visits(table, gap=gap)]).to_pylist()


def test_a_gap_longer_than_the_setting_cuts_and_one_as_long_does_not() -> None:
    found = visits([(1, 0), (1, 10), (1, 20), (1, 31), (1, 32)], gap=10)
    assert [one["times"] for one in found] == [[0, 10, 20], [31, 32]]
    assert [one["items"] for one in found] == [[100, 101, 102], [103, 104]]
    assert [(one["user_id"], one["number"], one["length"]) for one in found] == [(1, 1, 3), (1, 2, 2)]


def test_users_are_never_joined_and_single_events_only_count() -> None:
    found = visits([(1, 0), (2, 1), (2, 2), (2, 90), (2, 200), (2, 201), (3, 201)], gap=10)
    assert [(one["user_id"], one["number"], one["times"]) for one in found] == [
        (2, 1, [1, 2]),
        (2, 3, [200, 201]),
    ]


def test_only_single_events_give_no_session() -> None:
    assert visits([(1, 0), (2, 0), (3, 0)], gap=10) == []
