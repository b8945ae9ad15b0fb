"""Which held-out events are ranked, and what is known of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sequoia.evaluate.users import Asked, Share, read_batches
from sequoia.sequences.held_out import Protocol
from sequoia.tables.parts import Part

USERS = 300


def sequences() -> list[dict[str, object]]:
    """Users of 1 to 9 events; of each the time split holds out some events in both spans, or none."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(USERS):
        length = int(rng.integers(1, 10))
        train, valid = sorted(rng.integers(0, length + 1, 2).tolist())
        items = [100 * user + event for event in range(length)]
        rows.append(
            {
                "user_id": user,
                "items": items,
                "times": [item * 5 for item in items],
                "length": length,
                "loo_train": length - 2 if length > 2 else length,
                "time_train": train,
                "time_valid": valid,
            }
        )
    return rows


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Part:
    path = tmp_path_factory.mktemp("sequences") / "part.parquet"
    pq.write_table(pa.Table.from_pylist(sequences()), path)
    return Part(path=str(path), rows=USERS, bytes=path.stat().st_size)


def asked(protocol: Protocol = "time", *, every: bool = True, share: float = 1.0) -> Asked:
    return Asked(protocol=protocol, every=every, share=share, seed=7)


def told(part: Part, what: Asked) -> list[tuple[str, int, int, int]]:
    """Return (split, user, number, target) of all rows; the history of each is checked on the way."""
    found = []
    for number in range(3):
        share = Share(part=part, number=number, of=3, negatives=(), asked=what)
        for batch in read_batches(share, ["times"]):
            for row in batch.to_pylist():
                assert row["times"] == [item * 5 for item in row["items"]]
                assert row["items"][row["place"]] == 100 * row["user_id"] + row["place"]
                assert row["uniform"] is None
                found.append((row["split"], row["user_id"], row["number"], row["items"][row["place"]]))
    return sorted(found)


def by_the_book(*, every: bool) -> list[tuple[str, int, int, int]]:
    """Walk through the users one by one."""
    found = []
    for row in sequences():
        spans = {
            "valid": (row["time_train"], row["time_valid"]),
            "test": (row["time_valid"], row["length"]),
        }
        for split, (begin, end) in spans.items():
            for place in range(begin, end) if begin else ():
                if every or place == begin:
                    found.append((split, row["user_id"], place - begin + 1, row["items"][place]))
    return sorted(found)


@pytest.mark.parametrize("every", [True, False])
def test_all_events_of_a_span_or_the_first_are_targets(part: Part, every: bool) -> None:
    assert told(part, asked(every=every)) == by_the_book(every=every)
    assert len(by_the_book(every=True)) > len(by_the_book(every=False)) > 100


def test_leave_one_out_holds_out_one_event_in_any_case(part: Part) -> None:
    found = told(part, asked("leave-one-out"))
    assert found == told(part, asked("leave-one-out", every=False))
    long = [row for row in sequences() if row["length"] > 2]
    assert [row[1] for row in found if row[0] == "test"] == [row["user_id"] for row in long]
    assert [row[3] for row in found if row[0] == "test"] == [row["items"][-1] for row in long]


def test_a_sample_is_of_users_and_the_same_every_time(part: Part) -> None:
    whole, half = told(part, asked()), told(part, asked(share=0.5))
    users = {row[1] for row in half}
    assert half == [row for row in whole if row[1] in users]
    assert len(users) == pytest.approx(len({row[1] for row in whole}) / 2, rel=0.2)
    assert {row[1] for row in told(part, replace(asked(share=0.5), seed=8))} != users
    assert {row[1] for row in told(part, asked(share=0.25))} < users
