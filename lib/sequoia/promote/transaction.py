"""Move the alias as a transaction: intended, checked, moved, confirmed, written down; or as if never begun.

The steps, each of which may be the last one of a process that dies:

1. the intent is written to the registry, where it excludes others (see `intent`), and to the audit;
2. the version is registered, or found, and tagged with the intent;
3. the alias is read again and must still name the version that was judged against;
4. the alias is moved, and read back;
5. the versions are marked: which one was before, which one is rejected or no longer so;
6. the outcome is written to the audit; 7. the intent is removed.

Whoever comes next settles an intent whose process is gone. If the alias has moved, steps 5 to 7 are repeated
(each has the same effect a second time); if not, the intent is taken back, and a version that was registered
by then is found by its fingerprint when it is wanted again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import cast

from sequoia.errors import LockHeldError
from sequoia.promote import audit, intent
from sequoia.promote.audit import INTENDED, TAKEN_BACK, Action, Decision
from sequoia.promote.intent import Intent
from sequoia.promote.rejection import forgive, reject
from sequoia.provenance import actor
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection

ROLLED_BACK = "rolled back"
FindVersion = Callable[[], registry.Version]


def move(context: Context, connection: Connection, decision: Decision, version: FindVersion) -> Decision:
    """Carry the decision out, with the version that the function finds or registers; return what came of it.

    Raises LockHeldError when another run is faster: then the alias is as that one left it.
    """
    # A table of an older contract is refused before anything is touched.
    context.tables.ensure(audit.TABLE)
    claimed = intent.begin(
        connection,
        action=decision.action,
        alias=decision.alias,
        run_id=context.run_id,
        actor=actor(),
        before=decision.champion_before,
        reason=decision.reasons[0] if decision.action == ROLLED_BACK else "",
    )
    try:
        return _carry_out(context, connection, replace(decision, intent=claimed.id), claimed, version)
    except Exception:
        with suppress(Exception):  # the first error is the one to tell; what is left is for the next run
            _settle(context, connection, claimed, claimed.described)
        raise
    finally:
        intent.let_go(claimed)


def settle(context: Context, connection: Connection, alias: str) -> None:
    """Finish or take back what interrupted runs have left; raises LockHeldError while a run is at work."""
    standing = intent.read(connection, alias)
    if standing is not None:
        if intent.alive(standing, context.run_id):
            raise intent.held(connection, standing)
        claimed = intent.claim(connection, standing)
        try:
            _settle(context, connection, claimed, standing.described)
        finally:
            intent.let_go(claimed)
    for identifier in audit.open_intents(context, connection.registered_model, alias):
        _close(context, connection, alias, identifier)


def _carry_out(
    context: Context, connection: Connection, decision: Decision, claimed: Intent, version: FindVersion
) -> Decision:
    _require_unmoved(connection, decision)
    audit.record(context, replace(decision, action=INTENDED, wanted=decision.action, champion_after=None))
    target = version()
    registry.set_tag(connection, target, registry.INTENT, claimed.id)
    intent.require(connection, claimed)
    _require_unmoved(connection, decision)
    registry.move_alias(connection, decision.alias, target)
    _confirm(connection, claimed, target)
    _mark(connection, claimed, target)
    done = replace(decision, version=target.number, champion_after=target.number)
    audit.record(context, done)
    intent.release(connection, claimed)
    return done


def _require_unmoved(connection: Connection, decision: Decision) -> None:
    found = registry.find_alias(connection, decision.alias)
    number = found.number if found else None
    if number != decision.champion_before:
        raise LockHeldError(
            f"alias {decision.alias} of {connection.registered_model} was moved from "
            f"{named(decision.champion_before)} to {named(number)} by another run or user since this one "
            "decided: evaluate and run the command again"
        )


def _confirm(connection: Connection, claimed: Intent, target: registry.Version) -> None:
    found = registry.find_alias(connection, claimed.alias)
    standing = intent.read(connection, claimed.alias)
    ours = standing is not None and standing.owner == claimed.owner
    if found is None or found.number != target.number or not ours:
        now = named(found.number if found else None)
        raise LockHeldError(
            f"alias {claimed.alias} of {connection.registered_model} names {now} right after it was moved to "
            f"{named(target.number)}, as another run or user moved it at the same moment: look at the "
            "registry and run the command again"
        )


def _mark(connection: Connection, done: Intent, target: registry.Version) -> None:
    """Write what follows from the move to the tags of both versions; a second time changes nothing."""
    forgive(connection, registry.find_version(connection, target.number) or target)
    if done.action != ROLLED_BACK:
        registry.set_tag(connection, target, registry.PREVIOUS, done.before or "")
        return
    before = registry.find_version(connection, done.before or "")
    if before is not None:
        reject(connection, before, reason=done.reason, at=done.since, by=done.actor)


def _settle(context: Context, connection: Connection, claimed: Intent, who: str) -> None:
    """Finish an interrupted intent if the alias has moved, else take it back."""
    standing = intent.read(connection, claimed.alias)
    if standing is None or standing.owner != claimed.owner:
        return  # somebody else settles it
    champion = registry.find_alias(connection, claimed.alias)
    moved = champion is not None and champion.tags.get(registry.INTENT) == claimed.id
    if moved and champion is not None:
        _mark(connection, claimed, champion)
    if not audit.has_outcome(context, claimed.id):
        note = (
            f"finished by run {context.run_id}: {who} ended after the alias had moved"
            if moved
            else f"taken back by run {context.run_id}: {who} ended before the alias moved"
        )
        context.say(note)
        audit.record_outcome(context, _outcome(connection, claimed, champion, moved=moved, note=note))
    intent.release(connection, claimed)


def _close(context: Context, connection: Connection, alias: str, identifier: str) -> None:
    """Write the outcome of an intent that a run of another workspace settled: its audit is another table."""
    champion = registry.find_alias(connection, alias)
    moved = champion is not None and champion.tags.get(registry.INTENT) == identifier
    found = Intent(id=identifier, action="promoted", alias=alias, run_id="", actor="", since="", before=None)
    note = f"settled by a run of another workspace, whose audit says how: alias {alias} is what it left"
    audit.record_outcome(context, _outcome(connection, found, champion, moved=moved, note=note))


def _outcome(
    connection: Connection, found: Intent, champion: registry.Version | None, *, moved: bool, note: str
) -> Decision:
    return Decision(
        action=cast("Action", found.action) if moved else TAKEN_BACK,
        registered_model=connection.registered_model,
        alias=found.alias,
        version=champion.number if champion and moved else None,
        champion_before=found.before,
        champion_after=champion.number if champion else None,
        intent=found.id,
        reasons=[note],
    )


def named(number: str | None) -> str:
    """Return a version as it reads in a sentence."""
    return f"version {number}" if number else "no version"
