"""Fixed windows from events, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql.pandas.types import to_arrow_schema
from sequences.flat import flat_events

from sequoia.sequences import training_rows
from sequoia.sequences.training_rows import leave_trained, pad_left, places, write_shard
from sequoia.tables.contracts import contract
from sequoia.tables.parts import Target

ROWS = np.arange(50, 150, dtype=np.int32)


@pytest.mark.parametrize("group", [1, 2, 100])
def test_a_shard_holds_the_last_training_events_of_its_users_in_the_order_of_their_hashes(
    group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_rows, "GROUP", group)
    events = [(user, place, 10 * user + place) for user in range(1, 12) for place in range(user % 5 + 1)]
    log = flat_events(events)
    trained = np.maximum(np.diff(log.bounds) - 1, 0)
    folder = str(tmp_path)
    # Two pieces: the users up to 3, and those after.
    left = [
        leave_trained(
            log, np.where(of, trained, 0), ROWS, window=3, shards=2, seed=7, folder=folder, name=str(number)
        )
        for number, of in enumerate((log.users <= 3, log.users > 3))
    ]
    target = Target(folder=folder, columns=to_arrow_schema(contract("training").schema))
    found = {}
    for shard in (0, 1):
        report = write_shard(left, shard, window=3, seed=7, target=target)
        assert report is not None
        table = pq.ParquetFile(report["path"]).read().to_pylist()
        order = [int(place) for place in places(np.array([row["user_id"] for row in table]), 7)]
        assert order == sorted(order)
        assert all(place % 2 == shard for place in order)
        found |= {row["user_id"]: row for row in table}
    expected = {user: user % 5 for user in range(1, 12) if user % 5 >= 2}
    assert {user: row["length"] for user, row in found.items()} == {u: min(n, 3) for u, n in expected.items()}
    for user, row in found.items():
        count = min(expected[user], 3)
        last = [*range(expected[user] - count, expected[user])]
        assert row["items"] == [0] * (3 - count) + [50 + place for place in last]
        assert row["times"] == [0] * (3 - count) + [10 * user + place for place in last]


def test_lists_are_padded_on_the_left() -> None:
    lists = pa.chunked_array([pa.array([[9], [1, 2, 3], [4, 5], []], pa.list_(pa.int64())).slice(1)])
    found = pad_left(lists, pa.int64(), 4)
    assert found.to_pylist() == [[0, 1, 2, 3], [0, 0, 4, 5], [0, 0, 0, 0]]
