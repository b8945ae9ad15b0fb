"""The dry run: the decision in words, with nothing registered, written, tagged or moved."""

from __future__ import annotations

from sequoia.modelling.trained import read_trained
from sequoia.promote import audit, intent
from sequoia.promote.audit import Decision
from sequoia.promote.decide import decide
from sequoia.promote.transaction import named
from sequoia.road.stage import Context
from sequoia.tracking.connection import connect


def preview(context: Context) -> tuple[str, bool]:
    """Return what `sequoia promote` would do now and why, and whether it would refuse."""
    trained = read_trained(context.config.workspace_path)
    connection = connect(context.config)
    alias = context.config.promote.alias
    decision = decide(context, connection, trained)
    lines = [_headline(decision)]
    for model, verdicts in decision.verdicts.items():
        lines += [f"  {model}: {verdict.reason}" for verdict in verdicts]
    standing = intent.read(connection, alias)
    if standing is not None:
        at_work = intent.alive(standing, context.run_id)
        lines.append(
            f"  {standing.described} has begun to move the alias"
            + (": it is at work now" if at_work else " and was interrupted: this would be settled first")
        )
    elif audit.open_intents(context, connection.registered_model, alias):
        lines.append("  an interrupted run has left its audit open: this would be settled first")
    return "\n".join([*lines, "Nothing was changed (dry run)."]), decision.action == "refused"


def _headline(decision: Decision) -> str:
    where = f"alias {decision.alias} of {decision.registered_model}"
    now = f"it names {named(decision.champion_before)}"
    if decision.action == "promoted":
        return f"{decision.challenger} would be promoted: {where} would move to it; {now}"
    if decision.action == "unchanged":
        return f"{decision.challenger} is the champion already: {where} would not move; {now}"
    asked = decision.challenger or "every model"
    return f"{asked} would be refused: {where} would not move; {now}"
