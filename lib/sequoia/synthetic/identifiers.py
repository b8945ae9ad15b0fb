"""Invented user and item ids in the shapes of the real ones.

Real reviewer ids are an A and 10 to 13 base-36 digits, a few 19 to 21 characters long; real ASINs are 10
characters, either B and nine more, or the ISBN of a book with its leading zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.draws import Draws

LONG_USER_SHARE = 0.001
ISBN_SHARE = 0.08
DIGITS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)
ASIN_DIGITS = 7
ISBN_DIGITS = 9


def user_ids(draws: Draws, users: NDArray[np.uint64]) -> list[str]:
    """Return the id of each user number, unique below one seed."""
    digits = _base36(draws.bits("user id", users), 13)
    tails = _base36(draws.bits("long user id", users), 6)
    long = draws.uniform("is long user id", users) < LONG_USER_SHARE
    return [
        "A" + text.lstrip("0") + (tail if is_long else "")
        for text, tail, is_long in zip(digits, tails, long.tolist(), strict=True)
    ]


def asins(draws: Draws, items: NDArray[np.int64]) -> list[str]:
    """Return the id of each item number (corpus-wide), unique below one seed for 10 ** 8 items."""
    # Multipliers prime to the number of ids make the products distinct; B00 keeps them apart from the ISBNs.
    numbers = items.astype(np.uint64) + np.uint64(draws.key("asin") % 10**6)
    letters = _base36(numbers * np.uint64(48_271_000_061) % np.uint64(36**ASIN_DIGITS), ASIN_DIGITS)
    isbns = numbers * np.uint64(387_420_489) % np.uint64(10**ISBN_DIGITS)
    is_isbn = draws.uniform("is isbn", items) < ISBN_SHARE
    return [
        f"0{isbn:0{ISBN_DIGITS}d}" if book else f"B00{text}"
        for text, isbn, book in zip(letters, isbns.tolist(), is_isbn.tolist(), strict=True)
    ]


def _base36(numbers: NDArray[np.uint64], width: int) -> list[str]:
    columns = np.empty((len(numbers), width), dtype=np.uint8)
    for column in reversed(range(width)):
        numbers, digit = np.divmod(numbers, np.uint64(36))
        columns[:, column] = DIGITS[digit.astype(np.int64)]
    return [str(text, "ascii") for text in columns.reshape(-1).view(f"S{width}").tolist()]
