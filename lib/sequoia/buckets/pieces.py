"""Pieces of a table: files that hold all rows of the users whose hashes lie in a range, in their order."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sequoia.tables.parts import Part

NAME = re.compile(r"piece-(?P<first>[0-9a-f]{16})-(?P<last>[0-9a-f]{16})-[0-9a-f]+\.zstd\.parquet")


@dataclass(frozen=True, kw_only=True, order=True)
class Range:
    """Hashes from the first to the last, both included."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """Return what a file of this range is called, up to what makes its name unique."""
        return f"piece-{self.first:016x}-{self.last:016x}"


def range_of(part: Part) -> Range | None:
    """Return the range that a file's name tells, None when it is no piece."""
    found = NAME.fullmatch(PurePosixPath(part.path).name)
    return Range(first=int(found["first"], 16), last=int(found["last"], 16)) if found else None


def as_pieces(parts: Sequence[Part]) -> dict[Range, Part] | None:
    """Return a table's files by their ranges in order, None when they are not pieces.

    So it is when somebody else has written to the table, or Delta has joined small files.
    """
    found = {range_of(part): part for part in parts}
    ranges = sorted(span for span in found if span is not None)
    apart = all(one.last < other.first for one, other in itertools.pairwise(ranges))
    if len(ranges) < len(parts) or not apart:
        return None
    return {span: found[span] for span in ranges}


def cover(ranges: Sequence[Range]) -> list[Range]:
    """Return ascending ranges made wider, so that every hash lies in one."""
    firsts = [0, *(span.first for span in ranges[1:])]
    lasts = [*(first - 1 for first in firsts[1:]), 2**64 - 1]
    return [Range(first=first, last=last) for first, last in zip(firsts, lasts, strict=True)]


def overlapping(part: Part, others: Sequence[Part]) -> list[Part]:
    """Return the files that may hold keys of a file: those whose range meets its own, or that have none."""
    own = range_of(part)
    return [other for other in others if own is None or may_hold(other, own)]


def may_hold(part: Part, span: Range) -> bool:
    """Say whether a file may hold keys whose hashes lie in a range; one whose name tells no range may."""
    own = range_of(part)
    return own is None or (own.first <= span.last and span.first <= own.last)
