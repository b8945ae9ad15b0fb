"""Columns that every event file shares, as text, one entry per line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.synthetic.calendar_days import EPOCH, FIRST_DAY, LAST_DAY
from sequoia.synthetic.events import EventBlock

SECONDS_PER_DAY = 86_400
DAYS = [EPOCH + timedelta(days=day) for day in range(FIRST_DAY, LAST_DAY + 1)]
REVIEW_TIMES = pa.array([f"{day:%m} {day.day}, {day.year}" for day in DAYS])
UNIX_TIMES = pa.array([str(day * SECONDS_PER_DAY) for day in range(FIRST_DAY, LAST_DAY + 1)])
STARS = pa.array(["0.0", "1.0", "2.0", "3.0", "4.0", "5.0"])
USUAL_USER_CHARACTERS = 14


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Texts of a block of event lines."""

    reviewer: pa.StringArray
    asin: pa.StringArray
    stars: pa.StringArray
    unix_time: pa.StringArray


def columns(block: EventBlock, reviewers: pa.StringArray, asins: pa.StringArray) -> Columns:
    """Look up the texts; reviewers holds an id per user of the block, asins one per item of the category."""
    return Columns(
        reviewer=reviewers.take(pa.array(block.user)),
        asin=asins.take(pa.array(block.item)),
        stars=STARS.take(pa.array(block.rating)),
        unix_time=UNIX_TIMES.take(pa.array(block.day - FIRST_DAY)),
    )


def review_times(block: EventBlock) -> pa.StringArray:
    """Return the dates as the reviews spell them."""
    return REVIEW_TIMES.take(pa.array(block.day - FIRST_DAY))


def id_dirt(block: EventBlock, reviewers: pa.StringArray, asins: pa.StringArray) -> Counter[str]:
    """Count the lines with ids of unusual shape."""
    is_long = pc.greater(pc.binary_length(reviewers), USUAL_USER_CHARACTERS).to_numpy(zero_copy_only=False)
    is_book = pc.starts_with(asins, "0").to_numpy(zero_copy_only=False)
    return Counter(long_user_id=int(is_long[block.user].sum()), isbn_asin=int(is_book[block.item].sum()))


def rating_lines(texts: Columns) -> pa.BinaryArray:
    """Return the lines of a 2018 ratings file: item,user,rating,timestamp."""
    joined = pc.binary_join_element_wise(texts.asin, texts.reviewer, texts.stars, texts.unix_time, ",")
    return joined.cast(pa.binary())
