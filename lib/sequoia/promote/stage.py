"""Let the best model on validation ask for the alias; move it only if the gate passes, and write down why."""

from __future__ import annotations

from sequoia.models.trained import TrainedModel, read_trained
from sequoia.promote.audit import Action, Decision, record
from sequoia.promote.gate import Judgement, judge_models
from sequoia.promote.registration import registered_version
from sequoia.stage import Context, StageResult
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect


def run(context: Context) -> StageResult:
    """Decide about the alias; the run goes on with whatever it names afterwards."""
    alias = context.config.promote.alias
    trained = read_trained(context.config.workspace_path)
    connection = connect(context.config)
    champion = registry.find_alias(connection, alias)
    judgement = judge_models(context, trained, champion)
    decision = _decide(context, connection, judgement, trained, champion)
    record(context, alias, decision)
    context.say(f"{decision.challenger} {decision.action}: " + "; ".join(decision.reasons))
    model = {"name": connection.registered_model, "version": decision.champion_after, "alias": alias}
    details = {
        "model": model,
        "action": decision.action,
        "challenger": decision.challenger,
        "reasons": list(decision.reasons),
    }
    users = max((int(row["users"] or 0) for row in judgement.figures.values()), default=0)
    return StageResult(rows_in=users, rows_out=1, details=details)


def _decide(
    context: Context,
    connection: Connection,
    judgement: Judgement,
    trained: dict[str, TrainedModel],
    champion: registry.Version | None,
) -> Decision:
    before = champion.number if champion else None
    reasons = [verdict.reason for verdicts in judgement.verdicts.values() for verdict in verdicts]
    name = judgement.chosen
    if name is None:
        return _decision("refused", next(iter(judgement.verdicts)), None, before, reasons)
    if judgement.unchanged:
        return _decision("unchanged", name, before, before, reasons)
    version = registered_version(context, connection, name, trained[name])
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
