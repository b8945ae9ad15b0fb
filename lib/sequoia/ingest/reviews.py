"""Review lines of 2018 and 2014: strict JSON or Python literals, keys in any order, optional ones absent."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.checks import EVENT, LARGEST_TIME, event_check, limits
from sequoia.ingest.json_lines import number_of, read_block, read_line, text_of
from sequoia.ingest.parse import BadLineError, Grammar, NotFastError
from sequoia.ingest.settings import IngestSettings

LINE = pa.schema(
    [
        ("reviewerID", pa.string()),
        ("asin", pa.string()),
        ("overall", pa.float64()),
        ("unixReviewTime", pa.int64()),
        ("reviewTime", pa.string()),
        ("verified", pa.bool_()),
        ("vote", pa.string()),
        ("helpful", pa.list_(pa.int64())),
    ]
)
KEYS = frozenset(LINE.names)
LARGEST_VOTES = 2**31 - 1


def reviews(settings: IngestSettings) -> Grammar:
    """Return the grammar of review lines."""
    return Grammar(columns=EVENT, fast=_fast, slow=_slow, check=event_check(limits(settings)))


def _fast(data: bytes, lines: int) -> pa.Table:
    table = read_block(data, lines, LINE)
    seconds = table.column("unixReviewTime")
    span = pc.min_max(seconds).as_py()
    if seconds.null_count or max(-span["min"], span["max"]) > LARGEST_TIME // 1000:
        raise NotFastError("times need a closer look")
    columns = [
        table.column("reviewerID"),
        table.column("asin"),
        pc.multiply(seconds, 1000),
        table.column("overall"),
        table.column("verified"),
        _votes(table),
    ]
    return pa.table(columns, schema=EVENT)


def _votes(table: pa.Table) -> pa.ChunkedArray:
    """Return helpful votes: `vote` of 2018, first number of `helpful` of 2014, 0 when nobody voted."""
    vote, helpful = table.column("vote"), table.column("helpful")
    if helpful.null_count == len(helpful):
        votes = pc.replace_substring(vote, ",", "").cast(pa.int64())
    elif helpful.null_count or vote.null_count < len(vote):
        # A line of the other year, or one that is cut: the odd one is the rarer.
        rare = pc.is_null(helpful) if 2 * helpful.null_count < len(helpful) else pc.is_valid(helpful)
        raise NotFastError(f"votes of both years in row {pc.index(rare, True).as_py()}")
    elif pc.any(pc.not_equal(pc.list_value_length(helpful), 2)).as_py():
        raise NotFastError("helpful is not a pair")
    else:
        votes = pc.list_element(helpful, 0)
    votes = pc.fill_null(votes, 0)
    span = pc.min_max(votes).as_py()
    if span["min"] < 0 or span["max"] > LARGEST_VOTES:
        raise NotFastError("votes out of range")
    return votes


def _slow(line: str) -> list[tuple[Any, ...]]:
    values = read_line(line, KEYS)
    rating = number_of(values, "overall")
    verified = values.get("verified")
    if verified is not None and not isinstance(verified, bool):
        raise BadLineError("verified is not true or false")
    try:
        stars = None if rating is None else float(rating)
    except OverflowError:
        stars = math.inf
    user, item = text_of(values, "reviewerID"), text_of(values, "asin")
    return [(user, item, _time(values), stars, verified, _slow_votes(values))]


def _time(values: dict[str, Any]) -> int | None:
    seconds = number_of(values, "unixReviewTime")
    if seconds is not None:
        if seconds != seconds or abs(seconds) > LARGEST_TIME // 1000 or seconds != int(seconds):
            raise BadLineError("unixReviewTime is not whole seconds")
        return int(seconds) * 1000
    day = text_of(values, "reviewTime")
    if day is None:
        return None
    try:
        return int(datetime.strptime(day, "%m %d, %Y").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        raise BadLineError("reviewTime is not month day, year") from None


def _slow_votes(values: dict[str, Any]) -> int:
    helpful = values.get("helpful")
    if values.get("vote") is None and isinstance(helpful, list) and len(helpful) == 2:
        votes = number_of({"helpful": helpful[0]}, "helpful")
    else:
        text = values.get("vote")
        votes = _whole(text.replace(",", "")) if isinstance(text, str) else number_of(values, "vote")
    if votes is None:
        return 0
    if not 0 <= votes <= LARGEST_VOTES or votes != int(votes):
        raise BadLineError("votes are not a count")
    return int(votes)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadLineError("vote is not a number") from None
