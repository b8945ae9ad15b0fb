"""What the stages ran with: code, settings, packages and user, from the table runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import functions as F

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
    rows = context.tables.read("runs").where(F.col("run_id").isin(runs))
    newest = rows.orderBy(F.desc("started")).limit(SHOWN).collect()
    return [RanWith(**{key: row[key] for key in RanWith.__dataclass_fields__}) for row in newest]
