"""Copy the version behind an alias to another registered model, as from dev to staging to prod."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sequoia.errors import UserError
from sequoia.promote.audit import Decision, record
from sequoia.promote.rejection import is_rejected, rejection
from sequoia.promote.transaction import move, settle
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect

SOURCE = "released_from"


def release(context: Context, *, source: str, target: str, alias: str) -> str:
    """Let the alias of the target name what the alias of the source names, copied the first time only.

    Both are registered models of the same registry. Raises UserError when the source has no such alias or
    the version was rolled back on either side; LockHeldError when another run moves the alias.
    """
    if source == target:
        raise UserError(
            f"{source} cannot be released to itself: name another registered model with --from or --to"
        )
    here, there = (replace(connect(context.config), registered_model=name) for name in (source, target))
    settle(context, there, alias)
    version = registry.required_alias(here, alias)
    known = registry.find_fingerprint(there, version.fingerprint)
    if not context.config.promote.allow_rejected:
        _require_not_rejected(version, known)
    before = registry.find_alias(there, alias)
    decision = _decision(version, target=target, alias=alias, before=before)
    if before is not None and before.fingerprint == version.fingerprint:
        record(context, replace(decision, action="unchanged", version=before.number))
        return f"alias {alias} of {target} names that model already, version {before.number}"
    done = move(context, there, decision, partial(_copied, context, there, version, known))
    return (
        f"alias {alias} of {target} names version {done.version} now, which is version {version.number} of "
        f"{source}; before it named {'version ' + before.number if before else 'nothing'}"
    )


def _decision(
    version: registry.Version, *, target: str, alias: str, before: registry.Version | None
) -> Decision:
    return Decision(
        action="released",
        registered_model=target,
        alias=alias,
        fingerprint=version.fingerprint,
        champion_before=before.number if before else None,
        champion_after=before.number if before else None,
        champion_fingerprint=before.fingerprint if before else None,
        reasons=[f"released from version {version.number} of {version.name}"],
    )


def _copied(
    context: Context, there: Connection, version: registry.Version, known: registry.Version | None
) -> registry.Version:
    """Return the copy in the target, made now unless one with its fingerprint is there."""
    if known is not None:
        context.say(f"version {known.number} of {known.name} is a copy already")
        return known
    context.say(f"copying version {version.number} of {version.name} to {there.registered_model}")
    copy = registry.copy_version(there, version)
    registry.set_tag(
        there, copy, registry.FINGERPRINT, version.fingerprint
    )  # one registered by hand has none
    registry.set_tag(there, copy, SOURCE, _uri(version))
    return copy


def _require_not_rejected(version: registry.Version, known: registry.Version | None) -> None:
    for one in (version, known):
        if one is not None and is_rejected(one):
            raise UserError(f"{rejection(one)}, is not released: take another, or add --allow-rejected")


def _uri(version: registry.Version) -> str:
    return f"models:/{version.name}/{version.number}"
