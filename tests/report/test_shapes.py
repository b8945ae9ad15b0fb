from __future__ import annotations

from datetime import date, timedelta

from sequoia.report.shapes import by_period


def test_long_logs_are_counted_by_month_with_the_empty_ones() -> None:
    days = {date(2016, 11, 30): 2, date(2016, 11, 1): 1, date(2017, 2, 28): 5}
    counts = {"2016-11": 3, "2016-12": 0, "2017-01": 0, "2017-02": 5}
    assert by_period(days) == ("month", counts)


def test_short_logs_are_counted_by_day() -> None:
    start = date(2016, 12, 31)
    days = {start: 2, start + timedelta(days=2): 1}
    assert by_period(days) == ("day", {"2016-12-31": 2, "2017-01-01": 0, "2017-01-02": 1})


def test_no_events_are_no_periods() -> None:
    assert by_period({}) == ("month", {})
