"""The data in a few hundred numbers for plots: counted in Spark, at most one row per calendar day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import functions as F

from sequoia.report.gone import Reader
from sequoia.road.stage import Context

STARS = range(1, 6)
UNRATED = "unrated"
LONGEST = 50
LEAST_MONTHS = 4
MILLISECONDS = 1000


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Histograms: events by period (month, or day when the log is short) and by stars, sequences by length.

    Periods without events are there with 0; the length of the last bucket stands for all longer ones, too.
    """

    period: str
    events: dict[str, int]
    stars: dict[str, int]
    lengths: dict[int, int]


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round of the k-core filter left; round 0 is its input."""

    round: int
    users: int
    items: int
    interactions: int


def count_shapes(context: Context, reader: Reader) -> Shapes:
    """Count interactions by day and stars, and sequences by length; a table that is gone counts as empty."""
    days = reader.read("interactions", lambda: _count_days(context)) or {}
    totals = sum((Counter(counts) for counts in days.values()), Counter())
    period, events = by_period({day: sum(counts.values()) for day, counts in days.items()})
    lengths = reader.read("sequences", lambda: _count_lengths(context)) or {}
    stars = {name: totals[name] for name in [*map(str, STARS), UNRATED] if totals[name] or name != UNRATED}
    return Shapes(period=period, events=events, stars=stars, lengths=lengths)


def by_period(days: Mapping[date, int]) -> tuple[str, dict[str, int]]:
    """Count by month, or by day where that would give fewer than four bars; return unit and counts."""
    if not days:
        return "month", {}
    first, last = min(days), max(days)
    spanned = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    months = {day.strftime("%Y-%m"): 0 for day in spanned}
    if len(months) < LEAST_MONTHS:
        return "day", {day.isoformat(): days.get(day, 0) for day in spanned}
    for day, count in days.items():
        months[day.strftime("%Y-%m")] += count
    return "month", months


def read_rounds(context: Context) -> list[Round]:
    """Read the rounds of the k-core filter (at most sequences.max_rounds rows)."""
    rows = context.tables.rows("kcore", columns=list(Round.__dataclass_fields__))
    return sorted((Round(**row) for row in rows), key=lambda one: one.round)


def _count_lengths(context: Context) -> dict[int, int]:
    length = F.least("length", F.lit(LONGEST)).alias("length")
    found = context.tables.read("sequences").groupBy(length).count().collect()  # at most 50 rows
    return dict(sorted((row["length"], row["count"]) for row in found))


def _count_days(context: Context) -> dict[date, dict[str, int]]:
    day = F.to_date(F.timestamp_seconds(F.col("time") / MILLISECONDS)).alias("day")
    stars = [F.count_if(F.floor("rating") == star).alias(str(star)) for star in STARS]
    unrated = F.count_if(F.col("rating").isNull()).alias(UNRATED)
    by_day = context.tables.read("interactions").groupBy(day)
    rows = by_day.agg(*stars, unrated).collect()  # one per calendar day
    return {row["day"]: {name: row[name] for name in [*map(str, STARS), UNRATED]} for row in rows}
