"""A user's events in the order of their times, of all users of a bucket by one sort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sequoia.buckets.groups import Codes

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

UNITS = (86_400_000, 1000)  # milliseconds: most logs tell days or seconds


def order_events(users: Codes, times: Integers, items: Codes) -> npt.NDArray[np.intp]:
    """Return the stable order by user, time and item.

    users: numbers from 0, in any order; items: numbers from 0. Where it fits, user, time, as much of the item
    as there is room for, and the row are one number: its sort takes a third of that by three keys.
    """
    if not len(users):
        return np.zeros(0, dtype=np.intp)
    since = _in_largest_unit(times - times.min())
    user_bits, time_bits, item_bits, row_bits = (
        max(1, int(most).bit_length()) for most in (users.max(), since.max(), items.max(), len(users))
    )
    room = 64 - user_bits - time_bits - row_bits
    if room < 0:
        by_keys: npt.NDArray[np.intp] = np.lexsort((items, since, users))
        return by_keys
    part = min(room, item_bits)
    keys = users.astype(np.uint64) << np.uint64(time_bits)
    keys |= since.astype(np.uint64)
    keys <<= np.uint64(part)
    keys |= (items >> (item_bits - part)).astype(np.uint64) if part else np.uint64(0)
    keys <<= np.uint64(row_bits)
    keys |= np.arange(len(users), dtype=np.uint64)
    keys.sort()
    order = (keys & np.uint64((1 << row_bits) - 1)).astype(np.intp)
    if part < item_bits:
        _order_ties(order, keys >> np.uint64(row_bits), items)
    return order


def _order_ties(order: npt.NDArray[np.intp], keys: npt.NDArray[np.uint64], items: Codes) -> None:
    tied = np.flatnonzero(keys[1:] == keys[:-1])
    if not len(tied):
        return
    places = np.union1d(tied, tied + 1)
    rows = order[places]
    order[places] = rows[np.lexsort((rows, items[rows], keys[places]))]


def _in_largest_unit(since: Integers) -> Integers:
    for unit in UNITS:
        whole = since // unit
        if (whole * unit == since).all():
            return whole
    return since


def run_starts(*keys: npt.NDArray[np.generic]) -> Flags:
    """Say of each row whether it is the first of its run: another than the one before in any of the keys."""
    new = np.zeros(len(keys[0]), dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new
