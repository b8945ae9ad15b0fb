"""The promotions table: a row for each intent to move the alias, and one for each decision or outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sequoia.promote.verdict import Verdict
from sequoia.provenance import actor, code_version, effective_settings, settings_hash
from sequoia.road.stage import Context

TABLE = "promotions"
INTENDED: Final = "intended"
TAKEN_BACK: Final = "taken back"
Action = Literal["intended", "promoted", "refused", "unchanged", "rolled back", "released", "taken back"]
Figures = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided about the alias; versions are numbers in the registry, None for none."""

    action: Action
    registered_model: str
    alias: str
    champion_before: str | None
    champion_after: str | None
    reasons: Sequence[str]
    challenger: str | None = None
    version: str | None = None
    fingerprint: str | None = None
    champion_fingerprint: str | None = None
    intent: str | None = None
    wanted: Action | None = None
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    metric: str | None = None
    figures: Figures = field(default_factory=dict)


def record(context: Context, decision: Decision) -> None:
    """Append the decision to the promotions table, with what it was decided by."""
    config = context.config
    row = {
        **vars(decision),
        "decided": datetime.now(UTC),
        "run_id": context.run_id,
        "reasons": list(decision.reasons),
        "verdicts": [
            {"model": model, **vars(verdict), "figures": _numbers(verdict.figures)}
            for model, verdicts in decision.verdicts.items()
            for verdict in verdicts
        ],
        "figures": {model: _numbers(values) for model, values in decision.figures.items()},
        "settings": json.dumps(effective_settings(config)["promote"], sort_keys=True),
        "settings_hash": settings_hash(config),
        "code_version": code_version(),
        "actor": actor(),
    }
    context.tables.add_rows(TABLE, [row])


def record_outcome(context: Context, outcome: Decision) -> None:
    """Append the outcome of an interrupted intent: the row it wrote, if it did, completed."""
    assert outcome.intent is not None
    written = [row for row in _rows(context, outcome.intent) if row["action"] == INTENDED]
    if not written:
        record(context, outcome)
        return
    begun = written[0]
    completed = {
        **begun,
        "decided": datetime.now(UTC),
        "run_id": context.run_id,
        "action": TAKEN_BACK if outcome.action == TAKEN_BACK else begun["wanted"],
        "wanted": None,
        "version": outcome.version,
        "champion_after": outcome.champion_after,
        "reasons": [*begun["reasons"], *outcome.reasons],
    }
    context.tables.add_rows(TABLE, [completed])


def has_outcome(context: Context, intent: str) -> bool:
    """Say whether the table knows what came of an intent."""
    return any(row["action"] != INTENDED for row in _rows(context, intent))


def open_intents(context: Context, registered_model: str, alias: str) -> list[str]:
    """Return the intents without an outcome: one for each run that was interrupted since the last one."""
    if not context.tables.exists(TABLE):
        return []
    own = {"registered_model": [registered_model], "alias": [alias]}
    rows = context.tables.rows(TABLE, columns=["intent", "action"], where=own)
    known = dict.fromkeys(row["intent"] for row in rows if row["intent"] is not None)
    settled = {row["intent"] for row in rows if row["action"] != INTENDED}
    return [intent for intent in known if intent not in settled]


def _rows(context: Context, intent: str) -> list[dict[str, Any]]:
    context.tables.ensure(TABLE)
    return context.tables.rows(TABLE, where={"intent": [intent]})


def _numbers(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else float(value) for key, value in values.items()}
