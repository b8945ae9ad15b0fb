from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sequoia.buckets.blobs import bucket_of, first_hash, split, unpack
from sequoia.buckets.strings import hash_strings

ROWS = pa.table(
    {
        "user": pa.array([f"u{number % 700}" for number in range(5000)]),
        "time": pa.array(range(5000)),
        "rating": pa.array([None if number % 3 else 2.5 for number in range(5000)], pa.float32()),
        "verified": pa.array([number % 2 == 0 for number in range(5000)]),
        "votes": pa.nulls(5000, pa.int32()),
    }
)


@pytest.mark.parametrize("buckets", [1, 7, 300])
def test_every_row_reaches_the_bucket_of_its_hash_and_rows_keep_their_order(buckets: int) -> None:
    hashes = hash_strings(ROWS.column("user").chunk(0)).first
    blobs = dict(split(ROWS, hashes, buckets))
    assert list(blobs) == sorted(blobs)
    found = [row for bucket in blobs for table in unpack([blobs[bucket]]) for row in table.to_pylist()]
    expected = sorted(
        zip(hashes.tolist(), ROWS.to_pylist(), strict=True), key=lambda one: (one[0] * buckets) >> 64
    )
    assert found == [row for _, row in expected]


@pytest.mark.parametrize("buckets", [1, 3, 96, 257])
def test_buckets_are_ranges_of_hashes_from_end_to_end(buckets: int) -> None:
    bounds = [first_hash(bucket, buckets) for bucket in range(buckets + 1)]
    assert (bounds[0], bounds[-1]) == (0, 2**64)
    for bucket in range(buckets):
        edge = np.array([bounds[bucket], bounds[bucket + 1] - 1], dtype=np.uint64)
        assert bucket_of(edge, buckets).tolist() == [bucket, bucket]
