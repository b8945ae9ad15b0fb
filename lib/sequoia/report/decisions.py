"""The last decisions about the alias, from the audit table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import functions as F

from sequoia.promote.audit import INTENDED
from sequoia.road.stage import Context

SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class PastDecision:
    """One row of promotions; champions are version numbers, None for none."""

    decided: datetime
    action: str
    challenger: str | None
    champion_before: str | None
    champion_after: str | None


def last_decisions(context: Context) -> list[PastDecision]:
    """Return the newest ten decisions, newest first; an intent is none until its outcome is known."""
    table = context.tables.read("promotions", written_by="promote").where(F.col("action") != INTENDED)
    rows = table.orderBy(F.desc("decided")).limit(SHOWN).collect()
    return [PastDecision(**{key: row[key] for key in PastDecision.__dataclass_fields__}) for row in rows]
