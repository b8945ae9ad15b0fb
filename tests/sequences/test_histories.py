"""Rows of the sequences table from a piece's events, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sequences.flat import flat_events

from sequoia.sequences.held_out import Protocol
from sequoia.sequences.histories import Cuts, cap, choose, sequence_rows

IDS = np.arange(100, 200)
POSITIONS = ("length", "loo_train", "time_train", "time_valid")


def rows(
    events: list[tuple[int, int, int]], cuts: Cuts, *, most: int = 100, protocol: Protocol = "leave-one-out"
) -> list[dict[str, Any]]:
    return sequence_rows(cap(flat_events(events), protocol, cuts, most), IDS, cuts).to_pylist()


def test_each_user_becomes_one_row_with_both_splits() -> None:
    events = [(3, 7, 10), (3, 8, 20), (3, 7, 30), (3, 9, 40), (5, 2, 5), (5, 3, 25), (6, 4, 99)]
    first, second, third = rows(events, (20, 40))
    assert first["user_id"] == 3
    assert first["items"] == [107, 108, 107, 109]
    assert first["times"] == [10, 20, 30, 40]
    assert first["ratings"] == [3, 4, 3, 5]
    assert [first[name] for name in POSITIONS] == [4, 2, 1, 3]
    # Two events are too few to hold two out: all train.
    assert [second[name] for name in POSITIONS] == [2, 2, 1, 2]
    assert [third[name] for name in POSITIONS] == [1, 1, 0, 0]


def test_a_long_history_keeps_the_newest_that_train_and_both_that_are_held_out() -> None:
    events = [(1, item, item) for item in range(1, 4)] + [(2, item, item) for item in range(1, 9)]
    short, long = rows(events, (3, 7), most=3)
    assert short["items"] == [101, 102, 103]
    assert long["items"] == [104, 105, 106, 107, 108]
    assert [long[name] for name in POSITIONS] == [5, 3, 0, 3]


@pytest.mark.parametrize("later", [0, 1, 50])
def test_what_trains_does_not_depend_on_what_comes_after_the_cut(later: int) -> None:
    """Of the spans that are held out the first events stay: those that are asked for."""
    events = [(1, time, time) for time in range(10, 16)] + [(1, 30 + n, 30 + n) for n in range(later)]
    (row,) = rows(events, (14, 16), most=3, protocol="time")
    assert row["times"][: row["time_train"]] == [11, 12, 13]
    assert row["times"][row["time_train"] : row["time_valid"]] == [14, 15]
    assert row["times"][row["time_valid"] :] == [30, 31, 32][:later]


def test_events_of_chosen_users_and_items() -> None:
    log = flat_events([(1, 0, 1), (1, 1, 2), (2, 0, 1), (3, 1, 1), (4, 0, 5), (4, 1, 6)])
    items = np.zeros(2, dtype=bool)
    items[1] = True
    found = choose(log, np.array([True, True, False, True]), items)
    assert found.users.tolist() == [1, 4]
    assert (found.bounds.tolist(), found.times.tolist()) == ([0, 1, 2], [2, 6])
