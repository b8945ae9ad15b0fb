"""The promotions table: one row per decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sequoia.stage import Context

Action = Literal["promoted", "refused", "unchanged", "rolled back"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided about the alias; versions are numbers in the registry, None for none."""

    action: Action
    challenger: str | None
    version: str | None
    champion_before: str | None
    champion_after: str | None
    reasons: Sequence[str]


def record(context: Context, alias: str, decision: Decision) -> None:
    """Append the decision to the promotions table."""
    row = (
        datetime.now(UTC),
        context.run_id,
        decision.action,
        context.config.tracking.registered_model,
        alias,
        decision.challenger,
        decision.version,
        decision.champion_before,
        decision.champion_after,
        list(decision.reasons),
    )
    schema = context.tables.schema("promotions")
    context.tables.append("promotions", context.spark.createDataFrame([row], schema))
