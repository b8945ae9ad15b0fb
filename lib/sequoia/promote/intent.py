"""The intent: a tag of the registered model that says who is about to move an alias, from where to where.

MLflow moves an alias unconditionally: it has neither a compare-and-set nor a lock. The registry is also the
only thing that everybody who can move the alias shares (two workspaces have two audit tables), so the intent
lives there. A tag can be overwritten, therefore whoever wants the alias

1. reads that there is no intent, 2. writes its own, 3. waits SETTLE seconds, 4. reads its own back,

and reads it once more, with the alias, right before the move. Of several that wrote at the same time the last
one reads its own back and the others are told. What this guarantees: of two promoters one moves the alias, as
long as the request that moves it arrives within SETTLE seconds of that last look. A process that is held up
for longer exactly there could still move it after another one did; its own confirmation then notices.

An intent that outlives its process is taken over: at once when the process was one of this machine and is
gone, or belonged to an earlier attempt of the same run; else LEASE seconds after it was last written.
"""

from __future__ import annotations

import json
import os
import platform
import re
import time
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from sequoia.errors import LockHeldError
from sequoia.road.lease import process_started, this_machine
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection

SETTLE = 1.0
LEASE = 900
REASON = 300  # characters of a reason that fit into a tag beside the rest

_HELD: set[str] = set()  # owners in this process: a process that lives may still have given up


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A move of the alias that has begun; `before` is the version it moves away from, None for none."""

    id: str
    action: str
    alias: str
    run_id: str
    actor: str
    since: str
    before: str | None
    reason: str = ""
    owner: str = ""
    host: str = ""
    machine: str = ""  # with its boot and process namespace: there, process numbers mean something
    process: int = 0
    process_started: str = ""
    until: str = ""

    @property
    def described(self) -> str:
        """Return who holds it, since when, and on which machine."""
        return f"run {self.run_id} of {self.actor} on {self.host} since {self.since}"


def begin(
    connection: Connection,
    *,
    action: str,
    alias: str,
    run_id: str,
    actor: str,
    before: str | None,
    reason: str,
) -> Intent:
    """Claim the alias; raises LockHeldError when somebody else has it."""
    intent = Intent(
        id=uuid.uuid4().hex[:12],
        action=action,
        alias=alias,
        run_id=run_id,
        actor=actor,
        since=_text(datetime.now(UTC)),
        before=before,
        reason=reason[:REASON],
    )
    standing = read(connection, alias)
    if standing is not None:
        raise held(connection, standing)
    return claim(connection, intent)


def claim(connection: Connection, intent: Intent) -> Intent:
    """Write the intent as this process's own and see that it stays; raises LockHeldError when it does not."""
    mine = replace(
        intent,
        owner=uuid.uuid4().hex[:12],
        host=platform.node(),
        machine=this_machine(),
        process=os.getpid(),
        process_started=process_started(os.getpid()) or "",
    )
    _HELD.add(mine.owner)
    try:
        written = write(connection, mine)
        time.sleep(SETTLE)
        require(connection, written)
    except BaseException:
        _HELD.discard(mine.owner)
        raise
    return written


def write(connection: Connection, intent: Intent) -> Intent:
    """Write the intent with a new lease."""
    leased = replace(intent, until=_text(datetime.now(UTC) + timedelta(seconds=LEASE)))
    registry.set_model_tag(connection, tag(intent.alias), json.dumps(asdict(leased), ensure_ascii=False))
    return leased


def read(connection: Connection, alias: str) -> Intent | None:
    """Return the intent that stands, or None."""
    text = registry.model_tags(connection).get(tag(alias))
    if not text:
        return None
    try:
        return Intent(**json.loads(text))
    except (TypeError, ValueError):  # written by hand, or by another version of the code
        return Intent(
            id="unknown", action="", alias=alias, run_id="unknown", actor="unknown", since="", before=None
        )


def require(connection: Connection, intent: Intent) -> None:
    """Raise LockHeldError unless the intent is still this process's own."""
    standing = read(connection, intent.alias)
    if standing is None or standing.owner != intent.owner:
        raise held(connection, standing)


def release(connection: Connection, intent: Intent) -> None:
    """Remove the intent; one that somebody else wrote since stays."""
    standing = read(connection, intent.alias)
    if standing is not None and standing.owner == intent.owner:
        registry.drop_model_tag(connection, tag(intent.alias))
    let_go(intent)


def let_go(intent: Intent) -> None:
    """Stop claiming the intent in this process; what stands in the registry is for the next run to settle."""
    _HELD.discard(intent.owner)


def alive(intent: Intent, run_id: str) -> bool:
    """Say whether the one who wrote the intent may still be at work."""
    if intent.machine == this_machine():
        if intent.process == os.getpid():
            return intent.owner in _HELD
        return process_started(intent.process) == intent.process_started != ""
    return intent.run_id != run_id and datetime.now(UTC) < _time(intent.until)


def held(connection: Connection, standing: Intent | None) -> LockHeldError:
    """Return the error that tells the one who came second."""
    where = f"of registered model {connection.registered_model}"
    if standing is None:
        return LockHeldError(
            f"another run has just moved an alias {where}: look at it and run the command again"
        )
    until = f"; should it have died, its claim ends at {standing.until}" if standing.until else ""
    return LockHeldError(
        f"alias {standing.alias} {where} is being moved by {standing.described}: "
        f"run the command again when it has ended{until}"
    )


def tag(alias: str) -> str:
    """Return the key of the tag: letters, digits and _, as Unity Catalog wants it."""
    return "intent_" + re.sub(r"\W", "_", alias)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
