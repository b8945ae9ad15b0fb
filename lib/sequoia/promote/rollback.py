"""Take a version out of use: the alias names an earlier one again, and the version it left is rejected."""

from __future__ import annotations

from sequoia.errors import UserError
from sequoia.promote.audit import Decision
from sequoia.promote.rejection import is_rejected
from sequoia.promote.transaction import move, settle
from sequoia.road.stage import Context
from sequoia.secrets import redact
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect

UNSAID = "no reason given"


def roll_back(context: Context, *, to: str | None = None, reason: str = "") -> str:
    """Move the alias to a version, by default the champion before; a second call goes back by one more.

    The version that loses the alias is not promoted again unless asked. Raises UserError when there is no
    champion, none before it, or that one was deleted; LockHeldError when another run moves the alias.
    """
    alias = context.config.promote.alias
    connection = connect(context.config)
    settle(context, connection, alias)
    champion = registry.required_alias(connection, alias)
    target = _named_version(connection, champion, to) if to else _version_before(connection, alias, champion)
    decision = Decision(
        action="rolled back",
        registered_model=connection.registered_model,
        alias=alias,
        version=target.number,
        fingerprint=target.fingerprint,
        champion_before=champion.number,
        champion_after=champion.number,
        champion_fingerprint=champion.fingerprint,
        reasons=[redact(reason.strip()) or UNSAID],
    )
    move(context, connection, decision, lambda: target)
    return (
        f"alias {alias} of {champion.name} moved back from version {champion.number} to version "
        f"{target.number}; version {champion.number} is not promoted again unless promote.allow_rejected=true"
    )


def _named_version(connection: Connection, champion: registry.Version, to: str) -> registry.Version:
    if to == champion.number:
        raise UserError(f"version {to} of {champion.name} is the champion already: name another version")
    found = registry.find_version(connection, to)
    if found is None:
        raise UserError(f"version {to} of {champion.name} does not exist: name one that is in the registry")
    return found


def _version_before(connection: Connection, alias: str, champion: registry.Version) -> registry.Version:
    """Return the nearest champion before that was not rolled back itself."""
    seen, version = {champion.number}, champion
    while number := version.tags.get(registry.PREVIOUS):
        if number in seen:
            break
        seen.add(number)
        previous = registry.find_version(connection, number)
        if previous is None:
            raise UserError(
                f"version {number}, the champion before version {version.number} of {champion.name}, is gone "
                "from the registry: name another with --to"
            )
        if not is_rejected(previous):
            return previous
        version = previous
    raise UserError(
        f"alias {alias} named nothing before version {champion.number} of {champion.name} that was not "
        "rolled back, too: nothing to roll back to; name a version with --to"
    )
