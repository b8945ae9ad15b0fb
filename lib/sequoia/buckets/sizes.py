"""How many buckets, and what one task gets."""

from __future__ import annotations

from collections.abc import Sequence

from sequoia.buckets.blobs import first_hash
from sequoia.buckets.pieces import Range
from sequoia.tables.parts import Part

ROWS = 1_600_000  # of a bucket: its arrays take some 300 MB at the height
FEW_ROWS = 200_000  # fewer are not worth a task of their own
BYTES = 64 << 20  # of files that one task reads


def bucket_count(rows: int, cores: int) -> int:
    """Return the number of buckets for so many rows: of equal size, and where it pays one for each core."""
    return max(1, -(-rows // ROWS), min(cores, rows // FEW_ROWS))


def bucket_range(bucket: int, buckets: int) -> Range:
    """Return the hashes of a bucket."""
    return Range(first=first_hash(bucket, buckets), last=first_hash(bucket + 1, buckets) - 1)


def grouped(parts: Sequence[Part], cores: int) -> list[list[Part]]:
    """Return files in groups for tasks: of not more than BYTES where files are smaller, one for each core."""
    size = min(BYTES, sum(part.bytes for part in parts) // max(1, cores) + 1)
    groups: list[list[Part]] = []
    filled = size
    for part in parts:
        if filled + part.bytes > size:
            groups.append([])
            filled = 0
        groups[-1].append(part)
        filled += part.bytes
    return groups


def shares_of(rows: Sequence[int], most: int, cores: int) -> list[int]:
    """Return into how many shares each file goes: of not more rows than `most`, in all one for each core."""
    least = -(-cores // max(1, len(rows)))
    return [max(least, -(-held // most)) for held in rows]


def bounds_of_share(rows: int, number: int, of: int) -> tuple[int, int]:
    """Return the first row of a share, counted from 0, and the one after its last."""
    return rows * number // of, rows * (number + 1) // of
