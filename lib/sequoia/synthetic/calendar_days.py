"""When events happen: whole days since 1970, several on one day now and then, more users towards the end."""

from __future__ import annotations

from datetime import date

import numpy as np

from sequoia.synthetic.catalogue import Items, Uniform

EPOCH = date(1970, 1, 1)
FIRST_DAY = (date(2002, 1, 1) - EPOCH).days
LAST_DAY = (date(2018, 10, 2) - EPOCH).days


def spread(gaps: Items, counts: Items, start: Uniform) -> Items:
    """Return the day of each event, int64.

    gaps: days since the event before, by user and step, 0 at each first event; counts: events per user, all
    positive; start: one number in [0, 1) per user, where in the time left free by its events the user begins.
    """
    first = np.cumsum(counts) - counts
    elapsed = np.cumsum(gaps)
    elapsed -= np.repeat(elapsed[first], counts)
    length = elapsed[first + counts - 1]
    span = LAST_DAY - FIRST_DAY
    # The cube root puts most users into the later years, as the shop has grown.
    begin = (np.maximum(span - length, 0) * np.cbrt(start)).astype(np.int64)
    fitted = np.repeat(np.minimum(1.0, span / np.maximum(length, 1)), counts)
    days: Items = FIRST_DAY + np.repeat(begin, counts) + (elapsed * fitted).astype(np.int64)
    return days
