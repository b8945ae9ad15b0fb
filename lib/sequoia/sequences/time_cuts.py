"""Where the global time split cuts: two starts of days with about the wanted shares of events after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from sequoia.buckets.arrays import load, save
from sequoia.buckets.shuffle import Report
from sequoia.sequences.core import load_flags
from sequoia.sequences.encode import load_events

DAY = 86_400_000


def count_days(piece: Report, users: str, items: str, folder: str) -> Report:
    """Leave how many of a piece's core events fall on each day since 1970 (UTC)."""
    events = load_events(piece)
    stays = load_flags(items)[events.items] & np.repeat(load_flags(users), np.diff(events.bounds))
    days, counts = np.unique(events.times[stays] // DAY, return_counts=True)
    return {
        "days": save(
            pa.table({"day": days, "events": counts}), folder, f"days-{PurePosixPath(piece['events']).stem}"
        )
    }


def sum_days(counted: Sequence[str]) -> list[tuple[int, int]]:
    """Sum counts by day. Bounded by the days of the log, some 10,000 in 25 years."""
    tables = pa.concat_tables([load(path) for path in counted])
    summed = tables.group_by("day").aggregate([("events", "sum")])
    return [*zip(summed.column("day").to_pylist(), summed.column("events_sum").to_pylist(), strict=True)]


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
