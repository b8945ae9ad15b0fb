"""The last decisions about the alias, from the audit table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
    columns = list(PastDecision.__dataclass_fields__)
    rows = context.tables.rows("promotions", columns=columns, written_by="promote")
    decided = [PastDecision(**row) for row in rows if row["action"] != INTENDED]
    return sorted(decided, key=lambda decision: decision.decided, reverse=True)[:SHOWN]
