"""Where to cut a block that cannot be read in one stroke: around the odd line, when it is known."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ends = np.ndarray[tuple[int], np.dtype[np.int64]]

PARTS = 8
PIECE = 512  # lines: so many are read again for one that cannot be


def cut(data: bytes, error: Exception, tries: int) -> Iterator[bytes]:
    """Yield parts of whole lines, in order: the odd line apart where the error names it.

    Rows may be counted from 0 or 1, so that row's neighbours go with it. A wrong row costs time only. While
    there are tries left, what follows the line in a large block stays whole. Then a large block is cut into
    small pieces, and what follows a line of a piece is halved, which bounds the number of attempts.
    """
    ends = line_ends(data) + 1
    row = re.search(r"[Rr]ow #?(\d+)", str(error))
    large = len(ends) > PIECE
    if large and (row is None or tries <= 0):
        yield from _at(data, ends[PIECE - 1 :: PIECE])
        return
    if row is None:
        yield from _even(data, PARTS)
        return
    first, last = min(int(row[1]) - 2, len(ends) - 2), min(int(row[1]) + 1, len(ends) - 1)
    before, after = int(ends[first]) if first >= 0 else 0, int(ends[last])
    yield from filter(None, (data[:before], data[before:after]))
    yield from [data[after:]] if large and after < len(data) else _even(data[after:], 2)


def without_lines(data: bytes, odd: NDArray[np.bool_]) -> tuple[bytes, bytes]:
    """Return the lines that are not odd, and those that are, each in order."""
    ends = line_ends(data) + 1
    # The places where odd lines begin or cease to be: every second stretch between them is one of odd lines.
    turns = np.flatnonzero(np.diff(odd, prepend=False))
    places = [0, *np.where(turns > 0, ends[turns - 1], 0).tolist(), len(data)]
    whole = memoryview(data)
    stretches = [whole[start:end] for start, end in pairwise(places)]
    return b"".join(stretches[::2]), b"".join(stretches[1::2])


class _Last(threading.local):
    """The block that a thread looked at last, with its line ends: several ask for them in turn."""

    block: tuple[bytes, Ends] = (b"", np.zeros(0, np.int64))


_LAST = _Last()


def line_ends(data: bytes) -> Ends:
    """Return the places of all line ends."""
    last, ends = _LAST.block
    if data is not last:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        ends.flags.writeable = False
        _LAST.block = data, ends
    return ends


def _at(data: bytes, places: NDArray[np.int64]) -> Iterator[bytes]:
    start = 0
    for end in (*places.tolist(), len(data)):
        if end > start:
            yield data[start:end]
        start = end


def _even(data: bytes, parts: int) -> Iterator[bytes]:
    start = 0
    step = len(data) // parts + 1
    while start < len(data):
        end = data.find(b"\n", min(start + step, len(data) - 1)) + 1
        yield data[start:end]
        start = end
