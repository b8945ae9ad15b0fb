"""Invented user and item ids in the shapes of the real ones.

Real reviewer ids are an A and 10 to 13 base-36 digits, a few 19 to 21 characters long; real ASINs are 10
characters, either B and nine more, or the ISBN of a book with its leading zeros.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.synthetic.draws import Draws

LONG_USER_SHARE = 0.001
ISBN_SHARE = 0.08
DIGITS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)
USER_DIGITS = 13
TAIL_DIGITS = 6
ASIN_DIGITS = 7
ISBN_DIGITS = 9


def user_ids(draws: Draws, users: NDArray[np.uint64]) -> pa.StringArray:
    """Return the id of each user number, unique below one seed."""
    digits = _in_digits(draws.bits("user id", users), USER_DIGITS, 36)
    tails = _in_digits(draws.bits("long user id", users), TAIL_DIGITS, 36)
    is_long = draws.uniform("is long user id", users) < LONG_USER_SHARE
    has_begun = np.logical_or.accumulate(digits != ord("0"), axis=1)
    first = np.full((len(users), 1), ord("A"), np.uint8)
    kept = np.hstack([np.ones_like(first, bool), has_begun, np.repeat(is_long[:, None], TAIL_DIGITS, axis=1)])
    return _strings(np.hstack([first, digits, tails]), kept)


def asins(draws: Draws, items: NDArray[np.int64]) -> pa.StringArray:
    """Return the id of each item number (corpus-wide), unique below one seed for 10 ** 8 items."""
    # Multipliers prime to the number of ids make the products distinct; B00 keeps them apart from the ISBNs.
    numbers = items.astype(np.uint64) + np.uint64(draws.key("asin") % 10**6)
    letters = _in_digits(numbers * np.uint64(48_271_000_061) % np.uint64(36**ASIN_DIGITS), ASIN_DIGITS, 36)
    isbns = _in_digits(numbers * np.uint64(387_420_489) % np.uint64(10**ISBN_DIGITS), ISBN_DIGITS, 10)
    is_isbn = draws.uniform("is isbn", items) < ISBN_SHARE
    brand = np.tile(np.frombuffer(b"B00", np.uint8), (len(items), 1))
    zero = np.full((len(items), 1), ord("0"), np.uint8)
    written = np.where(is_isbn[:, None], np.hstack([zero, isbns]), np.hstack([brand, letters]))
    return _strings(written, np.ones_like(written, bool))


def _in_digits(numbers: NDArray[np.uint64], width: int, base: int) -> NDArray[np.uint8]:
    """Return numbers below base ** width as text, uint8 [numbers, width]."""
    columns = np.empty((len(numbers), width), dtype=np.uint8)
    for column in reversed(range(width)):
        numbers, digit = np.divmod(numbers, np.uint64(base))
        columns[:, column] = DIGITS[digit.astype(np.int64)]
    return columns


def _strings(letters: NDArray[np.uint8], kept: NDArray[np.bool_]) -> pa.StringArray:
    ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
    return pa.StringArray.from_buffers(len(letters), pa.py_buffer(ends), pa.py_buffer(letters[kept]))
