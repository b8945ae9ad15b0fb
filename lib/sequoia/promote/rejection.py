"""Versions that somebody rolled back: marked in the registry, and not promoted again unless asked."""

from __future__ import annotations

from sequoia.tracking import registry
from sequoia.tracking.connection import Connection

REJECTED = "rejected"
REJECTED_AT = "rejected_at"
REJECTED_BY = "rejected_by"


def reject(connection: Connection, version: registry.Version, *, reason: str, at: str, by: str) -> None:
    """Mark a version with the reason, the time and the user."""
    registry.set_tag(connection, version, REJECTED_AT, at)
    registry.set_tag(connection, version, REJECTED_BY, by)
    registry.set_tag(connection, version, REJECTED, reason)


def forgive(connection: Connection, version: registry.Version) -> None:
    """Remove the mark."""
    for key in (REJECTED, REJECTED_AT, REJECTED_BY):
        if key in version.tags:
            registry.drop_tag(connection, version, key)


def is_rejected(version: registry.Version) -> bool:
    """Say whether the version carries the mark."""
    return REJECTED in version.tags


def rejection(version: registry.Version) -> str:
    """Return the mark as a clause: which version was rolled back when, by whom, and why."""
    tags = version.tags
    at, by = tags.get(REJECTED_AT, "an unknown time"), tags.get(REJECTED_BY, "an unknown user")
    return f"version {version.number} of {version.name}, rolled back at {at} by {by} ({tags[REJECTED]})"
