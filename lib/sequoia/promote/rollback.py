"""Undo the last promotion: the alias names again what it named before."""

from __future__ import annotations

from sequoia.errors import UserError
from sequoia.promote.audit import Decision, record
from sequoia.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect


def roll_back(context: Context) -> str:
    """Move the alias back by one promotion and say so; a second call goes back by one more.

    Raises UserError when there is no champion, none before it, or that one was deleted.
    """
    alias = context.config.promote.alias
    connection = connect(context.config)
    champion = registry.required_alias(connection, alias)
    number = champion.tags.get(registry.PREVIOUS)
    where = f"version {champion.number} of {champion.name}"
    if not number:
        raise UserError(f"alias {alias} named nothing before {where}: nothing to roll back to")
    previous = registry.find_version(connection, number)
    if previous is None:
        raise UserError(
            f"version {number}, the champion before {where}, is gone from the registry: promote another"
        )
    registry.move_alias(connection, alias, previous)
    # Each promotion is undone once: were it to be promoted again, it would get a new tag.
    registry.drop_tag(connection, champion, registry.PREVIOUS)
    message = (
        f"alias {alias} of {champion.name} moved back from version {champion.number} to version {number}"
    )
    decision = Decision(
        action="rolled back",
        challenger=None,
        version=None,
        champion_before=champion.number,
        champion_after=previous.number,
        reasons=[message],
    )
    record(context, alias, decision)
    return message
