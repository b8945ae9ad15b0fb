"""Who is held out, with which history, under both protocols."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sequoia.sequences.held_out import HELD_OUT, Protocol, Split, held_out

# user_id, events, loo_train, time_train, time_valid
ROWS = [(1, 5, 3, 2, 4), (2, 3, 1, 0, 2), (3, 2, 2, 1, 2), (4, 4, 2, 4, 4), (5, 4, 2, 2, 2), (6, 3, 1, 0, 0)]


@pytest.fixture
def sequences() -> pa.Table:
    rows = [(user, [user * 10 + place for place in range(size)], size, *cuts) for user, size, *cuts in ROWS]
    return pa.table(dict(zip(HELD_OUT, map(list, zip(*rows, strict=True)), strict=True)))


@pytest.mark.parametrize(
    ("split", "protocol", "expected"),
    [
        ("valid", "leave-one-out", {1: (3, 13), 2: (1, 21), 4: (2, 42), 5: (2, 52), 6: (1, 61)}),
        ("test", "leave-one-out", {1: (4, 14), 2: (2, 22), 4: (3, 43), 5: (3, 53), 6: (2, 62)}),
        # User 2 has no event before the first cut, user 6 none before either: nothing to tell them by.
        ("valid", "time", {1: (2, 12), 3: (1, 31)}),
        ("test", "time", {1: (4, 14), 2: (2, 22), 5: (2, 52)}),
    ],
)
def test_history_ends_before_the_target(
    sequences: pa.Table, split: Split, protocol: Protocol, expected: dict[int, tuple[int, int]]
) -> None:
    found = {row["user_id"]: row for row in held_out(sequences, split, protocol).to_pylist()}
    assert {user: (len(row["history"]), row["target"]) for user, row in found.items()} == expected
    for user, row in found.items():
        assert row["history"] == [user * 10 + place for place in range(len(row["history"]))]
