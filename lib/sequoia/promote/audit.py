"""The promotions table: a row for each intent to move the alias, and one for each decision or outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

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
    schema = context.tables.schema(TABLE)
    values = [tuple(row[field.name] for field in schema)]
    context.tables.append(TABLE, context.spark.createDataFrame(values, schema))


def record_outcome(context: Context, outcome: Decision) -> None:
    """Append the outcome of an interrupted intent: the row it wrote, if it did, completed."""
    assert outcome.intent is not None
    written = _rows(context, outcome.intent).where(F.col("action") == INTENDED)
    if not written.limit(1).count():
        record(context, outcome)
        return
    completed = written.withColumns(
        {
            "decided": F.lit(datetime.now(UTC)),
            "run_id": F.lit(context.run_id),
            "action": F.lit(TAKEN_BACK) if outcome.action == TAKEN_BACK else F.col("wanted"),
            "wanted": F.lit(None),
            "version": F.lit(outcome.version),
            "champion_after": F.lit(outcome.champion_after),
            "reasons": F.concat("reasons", F.array(*map(F.lit, outcome.reasons))),
        }
    )
    context.tables.append(TABLE, completed)


def has_outcome(context: Context, intent: str) -> bool:
    """Say whether the table knows what came of an intent."""
    return bool(_rows(context, intent).where(F.col("action") != INTENDED).limit(1).count())


def open_intents(context: Context, registered_model: str, alias: str) -> list[str]:
    """Return the intents without an outcome: one for each run that was interrupted since the last one."""
    if not context.tables.exists(TABLE):
        return []
    own = F.col("registered_model") == registered_model
    rows = context.tables.read(TABLE).where(own & (F.col("alias") == alias) & F.col("intent").isNotNull())
    of_intent = rows.groupBy("intent").agg(F.bool_and(F.col("action") == INTENDED).alias("open"))
    return [row["intent"] for row in of_intent.where("open").collect()]


def _rows(context: Context, intent: str) -> DataFrame:
    context.tables.ensure(TABLE)
    return context.tables.read(TABLE).where(F.col("intent") == intent)


def _numbers(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else float(value) for key, value in values.items()}
