"""What the stages ran with: code, settings, packages and user, from the table runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sequoia.report.diary import Line
from sequoia.road.stage import Context

SHOWN = 20
PACKAGES = ("python", "pyspark", "torch", "mlflow")


@dataclass(frozen=True, kw_only=True)
class RanWith:
    """One process of a run; versions are those of PACKAGES, empty for one that was not there."""

    run_id: str
    started: datetime
    actor: str
    code: str
    settings_hash: str
    packages: dict[str, str]


def ran_with(context: Context, lines: Iterable[Line]) -> list[RanWith]:
    """Return what the runs of these lines ran with, newest first, of many the newest 20."""
    if not context.tables.exists("runs"):
        return []
    runs = sorted({line.run_id for line in lines})
    rows = context.tables.rows("runs", columns=list(RanWith.__dataclass_fields__), where={"run_id": runs})
    return sorted((RanWith(**row) for row in rows), key=lambda run: run.started, reverse=True)[:SHOWN]
