"""Where to cut a block that cannot be read in one stroke: around the odd line, when it is known."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

PARTS = 8


def cut(data: bytes, error: Exception) -> Iterator[bytes]:
    """Yield parts of whole lines, in order; an error that names a row has it set apart.

    Rows may be counted from 0 or 1, so that row's neighbours go with it. A wrong row costs time only: what
    follows it is halved, which bounds the number of attempts.
    """
    row = re.search(r"[Rr]ow #?(\d+)", str(error))
    if row is None:
        yield from _even(data, PARTS)
        return
    ends = line_ends(data) + 1
    first, last = min(int(row[1]) - 2, len(ends) - 2), min(int(row[1]) + 1, len(ends) - 1)
    before, after = int(ends[first]) if first >= 0 else 0, int(ends[last])
    yield from filter(None, (data[:before], data[before:after]))
    yield from _even(data[after:], 2)


def line_ends(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the places of all line ends."""
    return np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))


def _even(data: bytes, parts: int) -> Iterator[bytes]:
    start = 0
    step = len(data) // parts + 1
    while start < len(data):
        end = data.find(b"\n", min(start + step, len(data) - 1)) + 1
        yield data[start:end]
        start = end
