"""Where the global time split cuts: two starts of days with about the wanted shares of events after them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

DAY = 86_400_000


def events_per_day(events: DataFrame) -> dict[int, int]:
    """Count events by day since 1970 (UTC). Bounded by the days of the log, some 10,000 in 25 years."""
    day = F.floor(F.col("time") / DAY).cast("bigint")
    rows = events.groupBy(day.alias("day")).agg(F.count("*").alias("events")).collect()
    return {row["day"]: row["events"] for row in rows}


def choose_cuts(histogram: Mapping[int, int], *, valid_share: float, test_share: float) -> tuple[int, int]:
    """Return (validation cut, test cut) in milliseconds, both starts of days with events.

    The test cut leaves the share of events nearest to `test_share` at or after it (the earlier of two equally
    near), the validation cut then the nearest to `valid_share` between the two. From three days on no span is
    empty; two days have no validation span, and a single day only trains.
    """
    days = sorted(histogram)
    if len(days) < 3:
        test_day = days[1] if len(days) == 2 else days[0] + 1
        return test_day * DAY, test_day * DAY
    total = sum(histogram.values())
    before = dict(zip(days, accumulate((histogram[day] for day in days), initial=0), strict=False))
    test = min(days[2:], key=lambda day: (abs(total - before[day] - test_share * total), day))
    between = [day for day in days[1:] if day < test]
    valid = min(between, key=lambda day: (abs(before[test] - before[day] - valid_share * total), day))
    return valid * DAY, test * DAY
