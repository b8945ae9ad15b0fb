"""Let the best model on validation ask for the alias; move it only if the gate passes, and write down why."""

from __future__ import annotations

from sequoia.models.trained import TrainedModel, read_trained
from sequoia.promote.audit import Action, Decision, record
from sequoia.promote.evidence import (
    CHAMPION,
    Metrics,
    best_on_validation,
    gather,
    read_metrics,
    require_evaluated,
)
from sequoia.promote.registration import registered_version
from sequoia.promote.rules import judge
from sequoia.stage import Context, StageResult
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect


def run(context: Context) -> StageResult:
    """Decide about the alias; the run goes on with whatever it names afterwards."""
    settings, alias = context.config.promote, context.config.promote.alias
    trained = read_trained(context.config.workspace_path)
    metrics = read_metrics(context)
    fingerprints = {name: model.fingerprint for name, model in trained.items()}
    name = best_on_validation(metrics, settings.metric, fingerprints)
    connection = connect(context.config)
    champion = registry.find_alias(connection, alias)
    decision = _decide(context, connection, metrics, name, trained[name], champion)
    record(context, alias, decision)
    context.say(f"{name} {decision.action}: " + "; ".join(decision.reasons))
    model = {"name": connection.registered_model, "version": decision.champion_after, "alias": alias}
    details = {
        "model": model,
        "action": decision.action,
        "challenger": name,
        "reasons": list(decision.reasons),
    }
    users = metrics[name, "test", settings.metric].users
    return StageResult(rows_in=users, rows_out=1, details=details)


def _decide(
    context: Context,
    connection: Connection,
    metrics: Metrics,
    name: str,
    model: TrainedModel,
    champion: registry.Version | None,
) -> Decision:
    before = champion.number if champion else None
    if champion and champion.fingerprint == model.fingerprint:
        reason = f"{name} with these settings and data is the champion already, version {before}"
        return _decision("unchanged", name, before, before, [reason])
    if champion:
        require_evaluated(metrics, CHAMPION, context.config.promote.metric, champion.fingerprint)
    verdicts = judge(gather(context, metrics, name, champion=champion is not None), context.config.promote)
    reasons = [verdict.reason for verdict in verdicts]
    if not all(verdict.passed for verdict in verdicts):
        return _decision("refused", name, None, before, reasons)
    version = registered_version(context, connection, name, model)
    registry.set_tag(connection, version, registry.PREVIOUS, before or "")
    registry.move_alias(connection, context.config.promote.alias, version)
    return _decision("promoted", name, version.number, before, reasons)


def _decision(
    action: Action, name: str, version: str | None, before: str | None, reasons: list[str]
) -> Decision:
    after = version if action == "promoted" else before
    return Decision(
        action=action,
        challenger=name,
        version=version,
        champion_before=before,
        champion_after=after,
        reasons=reasons,
    )
