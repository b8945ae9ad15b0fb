"""Sessions by a gap, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from sequences.flat import flat_events

from sequoia.sequences.sessions import session_rows

NAMES = pa.array(["ann", "bob", "cy"])


def sessions(events: list[tuple[int, int]], gap: int) -> list[dict[str, Any]]:
    """Cut events of (user, minute), whose items are 100, 101 and so on."""
    log = flat_events([(user, place, minute * 60_000) for place, (user, minute) in enumerate(events)])
    ids = np.arange(100, 100 + len(events))
    return session_rows(log, NAMES, ids, gap_minutes=gap).to_pylist()


def test_a_gap_longer_than_the_setting_cuts_and_one_as_long_does_not() -> None:
    found = sessions([(1, 0), (1, 10), (1, 20), (1, 31), (1, 32)], gap=10)
    assert [[time // 60_000 for time in one["times"]] for one in found] == [[0, 10, 20], [31, 32]]
    assert [one["items"] for one in found] == [[100, 101, 102], [103, 104]]
    assert [(one["session"], one["length"]) for one in found] == [("ann:1", 3), ("ann:2", 2)]


def test_users_are_never_joined_and_single_events_only_count() -> None:
    found = sessions([(1, 0), (2, 1), (2, 2), (2, 90), (2, 200), (2, 201), (3, 201)], gap=10)
    assert [(one["session"], [time // 60_000 for time in one["times"]]) for one in found] == [
        ("bob:1", [1, 2]),
        ("bob:3", [200, 201]),
    ]


def test_only_single_events_give_no_session() -> None:
    assert sessions([(1, 0), (2, 0), (3, 0)], gap=10) == []
