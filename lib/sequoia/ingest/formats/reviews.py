"""Review lines of 2018 and 2014: strict JSON or Python literals, keys in any order, optional ones absent."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.formats.json_lines import JsonBlocks, number_of, read_line, text_of
from sequoia.ingest.formats.parse import BadLineError, Grammar, Lines, NotFastError, flags, set_apart
from sequoia.ingest.formats.usable_events import EVENT, LARGEST, beyond, event_check, limits
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
VOTES = r"^[0-9]{1,3}(,?[0-9]{3}){0,2}$"  # what is a count below 2**31 for certain


def reviews(settings: IngestSettings) -> Grammar:
    """Return the grammar of review lines."""
    blocks = JsonBlocks(LINE)

    def fast(data: bytes, lines: int) -> tuple[pa.Table, Lines | None]:
        return _events(blocks.read(data, lines))

    return Grammar(columns=EVENT, fast=fast, slow=_slow, check=event_check(limits(settings)), look=blocks.odd)


def _events(table: pa.Table) -> tuple[pa.Table, Lines | None]:
    table, odd = set_apart(table, None, beyond(table.column("unixReviewTime"), LARGEST["seconds"]))
    table, odd = set_apart(table, odd, _odd_votes(table))
    columns = [
        table.column("reviewerID"),
        table.column("asin"),
        pc.multiply(table.column("unixReviewTime"), 1000),
        table.column("overall"),
        table.column("verified"),
        _votes(table),
    ]
    return pa.table(columns, schema=EVENT), odd


def _odd_votes(table: pa.Table) -> Lines:
    """Say of each line whether its votes are of the rarer of the two years, or need a closer look."""
    vote, helpful = table.column("vote"), table.column("helpful")
    if helpful.null_count == len(helpful):
        fits = pc.match_substring_regex(vote, VOTES)
    elif 2 * helpful.null_count > len(helpful):
        fits = pc.and_kleene(pc.is_null(helpful), pc.match_substring_regex(vote, VOTES))
    else:
        fits = pc.and_kleene(pc.is_null(vote), pc.equal(pc.list_value_length(helpful), 2))
        first = pc.list_element(table.filter(pc.fill_null(fits, False)).column("helpful"), 0)
        if beyond(first, LARGEST_VOTES).any() or pc.any(pc.less(first, 0)).as_py():
            raise NotFastError("votes need a closer look")
        return ~flags(fits, null=False)
    return ~flags(fits, null=True)


def _votes(table: pa.Table) -> pa.ChunkedArray:
    """Return helpful votes: `vote` of 2018, first number of `helpful` of 2014, 0 when nobody voted."""
    vote, helpful = table.column("vote"), table.column("helpful")
    if helpful.null_count == len(helpful):
        votes = pc.replace_substring(vote, ",", "").cast(pa.int64())
    else:
        votes = pc.list_element(helpful, 0)
    return pc.fill_null(votes, 0)


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
        if seconds != seconds or abs(seconds) > LARGEST["seconds"] or seconds != int(seconds):
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
