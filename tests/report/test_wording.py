"""Numbers, names and moments as a reader sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sequoia.report.wording import bytes_text, moment_text


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_moments_are_utc_wherever_the_machine_is() -> None:
    assert moment_text(datetime(2026, 1, 5, 4, 30, tzinfo=UTC)) == "2026-01-05 04:30"
    assert moment_text(datetime(2026, 1, 5, 4, 30, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-05 02:30"
    # As Spark hands them out: without a zone, in this machine's.
    assert moment_text(datetime(2026, 1, 4, 23, 30)) == "2026-01-05 04:30"


def test_sizes_have_their_unit() -> None:
    assert [bytes_text(size) for size in (0, 1499, 2_500_000, 3 * 10**9)] == [
        "0.0 kB",
        "1.5 kB",
        "2.5 MB",
        "3.0 GB",
    ]
