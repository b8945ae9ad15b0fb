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
    """Return (validation cut, test cut) in milliseconds, both starts of days, the first not after the second.

    The test cut is the day whose start leaves the share of events nearest to `test_share` at or after it, the
    earlier of two equally near; the validation cut then the same between the two. The first day always
    trains, so a log of a single day has nothing to hold out and both cuts come after it.
    """
    days = sorted(histogram)
    before = dict(zip(days, accumulate((histogram[day] for day in days), initial=0), strict=False))
    total = sum(histogram.values())
    before[days[-1] + 1] = total
    cuts = [day for day in before if day != days[0]]
    test = min(cuts, key=lambda day: (abs(total - before[day] - test_share * total), day))
    earlier = [day for day in cuts if day <= test]
    valid = min(earlier, key=lambda day: (abs(before[test] - before[day] - valid_share * total), day))
    return valid * DAY, test * DAY
