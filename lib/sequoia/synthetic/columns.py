"""Columns that every event file shares, as lists of text, one entry per line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.calendar_days import EPOCH, FIRST_DAY, LAST_DAY
from sequoia.synthetic.events import EventBlock

SECONDS_PER_DAY = 86_400
DAYS = [EPOCH + timedelta(days=day) for day in range(FIRST_DAY, LAST_DAY + 1)]
REVIEW_TIMES = np.array([f"{day:%m} {day.day}, {day.year}" for day in DAYS], dtype=object)
UNIX_TIMES = np.array([str(day * SECONDS_PER_DAY) for day in range(FIRST_DAY, LAST_DAY + 1)], dtype=object)
STARS = np.array(["0.0", "1.0", "2.0", "3.0", "4.0", "5.0"], dtype=object)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Texts of a block of event lines."""

    reviewer: list[str]
    asin: list[str]
    stars: list[str]
    unix_time: list[str]
    review_time: list[str]


def columns(block: EventBlock, reviewers: NDArray[np.object_], asins: NDArray[np.object_]) -> Columns:
    """Look up the texts; reviewers holds an id per user of the block, asins one per item of the category."""
    day = block.day - FIRST_DAY
    return Columns(
        reviewer=reviewers[block.user].tolist(),
        asin=asins[block.item].tolist(),
        stars=STARS[block.rating].tolist(),
        unix_time=UNIX_TIMES[day].tolist(),
        review_time=REVIEW_TIMES[day].tolist(),
    )


def id_dirt(texts: Columns) -> Counter[str]:
    """Count the lines with ids of unusual shape."""
    return Counter(
        long_user_id=sum(len(reviewer) > 14 for reviewer in texts.reviewer),
        isbn_asin=sum(asin[0] == "0" for asin in texts.asin),
    )


def rating_lines(texts: Columns) -> list[str]:
    """Return the lines of a 2018 ratings file: item,user,rating,timestamp."""
    rows = zip(texts.asin, texts.reviewer, texts.stars, texts.unix_time, strict=True)
    return [f"{asin},{reviewer},{stars},{unix_time}" for asin, reviewer, stars, unix_time in rows]
