"""Several short sequences in one row, so that a batch of reviews is not mostly padding.

Shape letters: B sequences, L positions of a sequence, R packed rows, P positions of a packed row.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def pack(lengths_B: Integers, row_length: int) -> tuple[Integers, Integers, int]:
    """Return row and first position of each sequence, and the number of rows.

    The longest come first, each where the least room is left for it: as few rows as by first fit, by
    arithmetic on all sequences of one length at once.
    """
    order = np.argsort(-lengths_B, kind="stable")
    ends = np.flatnonzero(np.diff(lengths_B[order], append=-1)) + 1
    row_of, start_of = np.zeros((2, len(lengths_B)), np.int64)
    rows = _Rows(row_length)
    for begin, end in pairwise([0, *ends.tolist()]):
        length = int(lengths_B[order[begin]])
        if length:
            row_of[order[begin:end]], start_of[order[begin:end]] = rows.place(end - begin, length)
    return row_of, start_of, rows.count


class _Rows:
    """Rows of one length that fill up from the front, by the positions that are left in them."""

    def __init__(self, length: int) -> None:
        self.count = 0
        self._length = length
        self._left: dict[int, Integers] = {}

    def place(self, count: int, length: int) -> tuple[Integers, Integers]:
        """Find room for so many sequences of a length; return their rows and first positions."""
        placed = []
        for room in sorted(room for room in self._left if room >= length):
            rows = self._left.pop(room)
            used = -(-count // (room // length))
            self._leave(room, rows[used:])
            placed.append(self._fill(rows[:used], room, count, length))
            count -= len(placed[-1][0])
        fresh = self.count + np.arange(-(-count // (self._length // length)))
        self.count += len(fresh)
        placed.append(self._fill(fresh, self._length, count, length))
        row, start = (np.concatenate(of) for of in zip(*placed, strict=True))
        return row, start

    def _fill(self, rows: Integers, room: int, count: int, length: int) -> tuple[Integers, Integers]:
        """Put sequences one behind the other, up to so many, into rows with so much room."""
        each = room // length
        number = np.arange(min(count, len(rows) * each))
        full, last = divmod(len(number), each)
        self._leave(room - each * length, rows[:full])
        self._leave(room - last * length, rows[full:])
        return rows[number // each], self._length - room + number % each * length

    def _leave(self, room: int, rows: Integers) -> None:
        if room and len(rows):
            self._left[room] = np.concatenate([self._left[room], rows]) if room in self._left else rows
