"""The data in a few hundred numbers for plots: counted by tasks, at most one row per calendar day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.report.gone import Reader
from sequoia.road.stage import Context
from sequoia.tables.parts import Part, read_columns

STARS = range(1, 6)
UNRATED = "unrated"
LONGEST = 50
LEAST_MONTHS = 4
DAY = 86_400_000  # milliseconds
EPOCH = date(1970, 1, 1)
KINDS = (*map(str, STARS), UNRATED)


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
    reports = map_tasks(context.spark, context.tables.files("sequences"), _lengths_in)
    counts = sum((Counter(dict(report["lengths"])) for report in reports), Counter())
    return dict(sorted(counts.items()))


def _lengths_in(part: Part) -> Report:
    lengths = read_columns(part.path, ["length"]).column("length").to_numpy()
    counts = np.bincount(np.minimum(lengths, LONGEST))
    return {"lengths": [[length, int(counts[length])] for length in np.flatnonzero(counts).tolist()]}


def _count_days(context: Context) -> dict[date, dict[str, int]]:
    """Return the events of each calendar day by stars, in UTC."""
    found: dict[date, dict[str, int]] = {}
    for report in map_tasks(context.spark, context.tables.files("interactions"), _days_in):
        for day, counts in report["days"]:
            sums = found.setdefault(EPOCH + timedelta(days=day), dict.fromkeys(KINDS, 0))
            for kind, count in zip(KINDS, counts, strict=True):
                sums[kind] += count
    return found


def _days_in(part: Part) -> Report:
    """Count the rows of a file by day since 1970 and kind: at most one row per calendar day."""
    rows = read_columns(part.path, ["time", "rating"])
    days = rows.column("time").to_numpy() // DAY
    stars = np.floor(rows.column("rating").fill_null(0).to_numpy()).astype(np.int64)
    kinds = np.where((stars >= STARS[0]) & (stars <= STARS[-1]), stars - STARS[0], len(KINDS))
    kinds[rows.column("rating").is_null().to_numpy()] = len(STARS)
    first = int(days.min()) if len(days) else 0
    width = len(KINDS) + 1  # the last for ratings that are no stars, which nobody shows
    counts = np.bincount((days - first) * width + kinds)
    counts = np.append(counts, np.zeros(-len(counts) % width, dtype=counts.dtype)).reshape(-1, width)
    filled = np.flatnonzero(np.bincount(days - first)).tolist()
    return {"days": [[first + day, counts[day, : len(KINDS)].tolist()] for day in filled]}
