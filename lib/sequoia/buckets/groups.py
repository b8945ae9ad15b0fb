"""Equal strings found by sorting their hashes: every distinct one gets a number, in that order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sequoia.buckets.strings import Hashes
from sequoia.splitmix64 import Unsigned

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Rows grouped by identity.

    order: the rows, group by group; codes: the group of each of these, ascending; firsts: a row of each
    group; hashes: of each group, ascending.
    """

    order: Codes
    codes: Codes
    firsts: Codes
    hashes: Hashes

    def of_rows(self) -> Codes:
        """Return the group of every row, in the order of the rows."""
        found = np.empty(len(self.order), dtype=np.int32)
        found[self.order] = self.codes
        return found


def group(hashes: Hashes) -> Groups:
    """Group rows by both hashes. Groups are in the order of the first hash, then of the second."""
    order, first = _sorted(hashes.first)
    second = hashes.second[order]
    new = np.empty(len(order), dtype=bool)
    new[:1] = True
    np.not_equal(first[1:], first[:-1], out=new[1:])
    differ = np.flatnonzero(~new[1:] & (second[1:] != second[:-1])) + 1
    if len(differ):
        _part(order, first, second, new, first[differ])
    codes = np.cumsum(new, dtype=np.int32)
    codes -= 1
    return Groups(
        order=order,
        codes=codes,
        firsts=order[new],
        hashes=Hashes(first=first[new], second=second[new]),
    )


def _sorted(values: Unsigned) -> tuple[Codes, Unsigned]:
    """Return the order of the values and the values in it, rows of equal ones ascending.

    One sort of (upper bits | row) takes half the time of argsort; where upper bits agree and the values do
    not, the few rows are sorted once more.
    """
    if (values[1:] >= values[:-1]).all():  # as ranges of an index are
        return np.arange(len(values), dtype=np.int32), values
    low = np.uint64((1 << max(1, len(values).bit_length())) - 1)
    keys = (values & ~low) | np.arange(len(values), dtype=np.uint64)
    keys.sort()
    order = (keys & low).astype(np.int32)
    ordered = values[order]
    wrong = np.flatnonzero(ordered[1:] < ordered[:-1])
    if len(wrong):
        upper = keys & ~low
        for tied in np.unique(upper[wrong]):
            run = _run(upper, tied)
            again = np.argsort(ordered[run], kind="stable")
            order[run], ordered[run] = order[run][again], ordered[run][again]
    return order, ordered


def _part(
    order: Codes, first: Unsigned, second: Unsigned, new: npt.NDArray[np.bool_], collided: Unsigned
) -> None:
    """Put apart rows of one first hash that the second tells apart, in place."""
    for value in np.unique(collided):
        run = _run(first, value)
        again = np.argsort(second[run], kind="stable")
        order[run], second[run] = order[run][again], second[run][again]
        new[run.start + 1 : run.stop] = second[run.start + 1 : run.stop] != second[run.start : run.stop - 1]


def _run(ascending: Unsigned, value: np.uint64) -> slice:
    return slice(int(np.searchsorted(ascending, value)), int(np.searchsorted(ascending, value, side="right")))
