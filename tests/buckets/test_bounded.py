from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from sequoia.buckets.bounded import bounded
from sequoia.buckets.pieces import Range
from sequoia.buckets.strings import hash_strings
from sequoia.splitmix64 import Unsigned

WHOLE = Range(first=0, last=2**64 - 1)


def hashes(table: pa.Table) -> Unsigned:
    return hash_strings(table.column("user").combine_chunks()).first


def tables(users: list[str], size: int) -> list[pa.Table]:
    rows = pa.table({"user": users, "time": range(len(users))})
    return [rows.slice(start, size) for start in range(0, len(users), size)]


@pytest.mark.parametrize("largest", [10, 100, 5000])
def test_a_large_bucket_is_split_into_ranges_that_hold_whole_users(largest: int) -> None:
    users = [f"u{number % 611}" for number in range(4000)]
    found = [*bounded(tables(users, 300), WHOLE, hashes, largest=largest)]
    spans = [span for span, _ in found]
    assert spans == sorted(spans)
    assert all(one.last < other.first for one, other in itertools.pairwise(spans))
    assert sorted(row["time"] for _, rows in found for row in rows.to_pylist()) == [*range(4000)]
    for span, rows in found:
        of = hashes(rows).tolist()
        assert span.first <= min(of) <= max(of) <= span.last
        assert rows.column("time").to_pylist() == sorted(rows.column("time").to_pylist())
    most = max(Counter(users).values())
    assert max(len(rows) for _, rows in found) <= max(largest, most)


def test_a_user_with_more_rows_than_fit_stays_whole_and_alone() -> None:
    users = ["bot"] * 3000 + [f"u{number}" for number in range(1000)]
    rng = np.random.default_rng(1)
    found = [*bounded(tables(rng.permutation(users).tolist(), 100), WHOLE, hashes, largest=500)]
    sizes = {
        user: [i for i, (_, rows) in enumerate(found) if user in rows["user"].to_pylist()]
        for user in {*users}
    }
    assert all(len(places) == 1 for places in sizes.values())
    with_bot = found[sizes["bot"][0]][1]
    assert len(with_bot) < 3010


def test_nothing_is_nothing() -> None:
    assert [*bounded([], WHOLE, hashes)] == []
