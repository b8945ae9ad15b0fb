"""Which files may hold the same users: told by the ranges in their names."""

from __future__ import annotations

from sequoia.buckets.pieces import Range, overlapping
from sequoia.tables.parts import Part


def part(first: int, last: int) -> Part:
    name = Range(first=first, last=last).name
    return Part(path=f"/shop/negatives/split=test/{name}-5a.zstd.parquet", rows=1, bytes=1)


def test_files_overlap_where_their_ranges_share_a_hash() -> None:
    own = part(100, 199)
    others = [part(0, 99), part(0, 100), part(150, 160), part(199, 2**64 - 1), part(200, 300)]
    assert overlapping(own, others) == others[1:4]
    assert overlapping(part(0, 2**64 - 1), others) == others


def test_a_file_without_a_range_may_hold_anybody() -> None:
    joined = Part(path="/shop/negatives/part-00000.parquet", rows=1, bytes=1)
    assert overlapping(part(0, 9), [joined, part(10, 19)]) == [joined]
    assert overlapping(joined, [part(10, 19)]) == [part(10, 19)]
