"""Let the trained models ask for the alias; move it only if the gate passes one, and write down why."""

from __future__ import annotations

from functools import partial

from sequoia.modelling.trained import read_trained
from sequoia.promote.audit import Decision, record
from sequoia.promote.decide import decide
from sequoia.promote.registration import registered_version
from sequoia.promote.transaction import move, settle
from sequoia.road.stage import Context, StageResult
from sequoia.tracking.connection import connect


def run(context: Context) -> StageResult:
    """Decide about the alias; the run goes on with whatever it names afterwards.

    Raises LockHeldError when another run moves it at the same time.
    """
    connection = connect(context.config)
    trained = read_trained(context.config.workspace_path)
    settle(context, connection, context.config.promote.alias)
    decision = decide(context, connection, trained)
    if decision.action == "promoted" and decision.challenger:
        name = decision.challenger
        version = partial(registered_version, context, connection, name, trained[name])
        decision = move(context, connection, decision, version)
    else:
        record(context, decision)
    context.say(f"{decision.challenger} {decision.action}: " + "; ".join(decision.reasons))
    users = decision.figures.get(decision.challenger or "", {}).get("users")
    return StageResult(rows_in=int(users or 0), rows_out=1, details=_details(decision))


def _details(decision: Decision) -> dict[str, object]:
    model = {
        "name": decision.registered_model,
        "version": decision.champion_after,
        "alias": decision.alias,
    }
    return {
        "model": model,
        "action": decision.action,
        "challenger": decision.challenger,
        "reasons": list(decision.reasons),
    }
