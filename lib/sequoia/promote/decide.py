"""The decision about the alias: what the gate says of the trained models, and what people said of versions.

Nothing is written here, so the same code decides for `sequoia promote` and for its dry run.
"""

from __future__ import annotations

from collections.abc import Mapping

from sequoia.modelling.trained import TrainedModel
from sequoia.promote.audit import Decision
from sequoia.promote.gate import judge_models
from sequoia.promote.rejection import is_rejected, rejection
from sequoia.promote.verdict import Verdict
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection


def decide(context: Context, connection: Connection, trained: Mapping[str, TrainedModel]) -> Decision:
    """Return what is to be done; a model whose version was rolled back is out, and the others are judged."""
    champion = registry.find_alias(connection, context.config.promote.alias)
    rejected = {} if context.config.promote.allow_rejected else _rejected(connection, trained)
    judged = {name: model for name, model in trained.items() if name not in rejected}
    judgement = judge_models(context, judged, champion)
    verdicts = {**rejected, **judgement.verdicts}
    before = champion.number if champion else None
    chosen, unchanged = judgement.chosen, judgement.unchanged
    asked = chosen or next((name for name in [*judgement.verdicts, *rejected] if name in trained), None)
    reasons = [verdict.reason for of_model in verdicts.values() for verdict in of_model]
    return Decision(
        action="unchanged" if unchanged else "promoted" if chosen else "refused",
        registered_model=connection.registered_model,
        alias=context.config.promote.alias,
        challenger=asked,
        version=before if unchanged else None,
        fingerprint=trained[asked].fingerprint if asked else None,
        champion_before=before,
        champion_after=before,
        champion_fingerprint=champion.fingerprint if champion else None,
        reasons=reasons,
        verdicts=verdicts,
        metric=judgement.metric,
        figures=judgement.figures,
    )


def _rejected(connection: Connection, trained: Mapping[str, TrainedModel]) -> dict[str, list[Verdict]]:
    """Return a failed verdict for each model that is, by its fingerprint, a version that was rolled back."""
    versions = registry.by_fingerprint(connection)
    found = {name: versions.get(model.fingerprint) for name, model in trained.items()}
    return {
        name: [_refusal(name, version)] for name, version in found.items() if version and is_rejected(version)
    }


def _refusal(name: str, version: registry.Version) -> Verdict:
    reason = (
        f"{name} with these settings and data is {rejection(version)}, failed: a version that was not rolled "
        "back needed, or promote.allow_rejected=true"
    )
    return Verdict(rule="not rolled back", passed=False, reason=reason, figures={})
