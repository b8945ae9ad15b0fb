"""Which versions of the tables belong together: those that complete runs of the stages wrote.

A stage commits its tables one after the other. The line that it then adds to the diary names their versions:
until it is there, other stages read what the run before left. Who commits beside the road, as an erasure or
an OPTIMIZE does, is heeded at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sequoia.errors import UserError
from sequoia.log import LOGGER

DIARY = "stage_runs"
COLUMNS = ("stage", "finished", "reads", "writes")
# Only ever added to, or of one stage alone, which goes on where a run of it was given up.
ALWAYS_NEWEST = frozenset({DIARY, "runs", "promotions", "events", "products"})


@dataclass(frozen=True, kw_only=True)
class Complete:
    """A stage that ran to its end, with the versions that it read and wrote."""

    stage: str
    finished: datetime
    reads: Mapping[str, int]
    writes: Mapping[str, int]


class Manifest:
    """The complete runs that tables are of."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._of: dict[str, Complete] = {}
        for row in sorted(rows, key=lambda row: row["finished"]):
            line = Complete(**{name: row[name] for name in COLUMNS})
            self._of |= dict.fromkeys(line.writes, line)

    def of(self, table: str) -> Complete | None:
        """Return the run that wrote a table last, None for one that no stage wrote."""
        return self._of.get(table)


class Versioned(Protocol):
    """The tables, as far as they are asked here."""

    def identifier(self, table: str) -> str:
        """Return the name SQL knows the table by."""

    def exists(self, table: str) -> bool:
        """Say whether the table has been written."""

    def version(self, table: str) -> int:
        """Return the newest version."""

    def history(self, table: str) -> list[dict[str, Any]]:
        """Return the commits, newest first."""

    def changed_since(self, table: str, version: int, *, until: int | None = None) -> bool:
        """Say whether rows may have changed."""

    def rows_at(
        self, table: str, version: int, columns: Sequence[str] | None, where: Mapping[str, Sequence[str]]
    ) -> list[dict[str, Any]]:
        """Read a small table at a version."""


class Visible:
    """The version of each table that other stages read."""

    def __init__(self, tables: Versioned) -> None:
        self._tables = tables
        self._known: tuple[int, Manifest] | None = None  # and the version of the diary that it is of

    def version(self, table: str) -> int:
        """Return it; a later one that is passed over is logged."""
        tables = self._tables
        newest = tables.version(table)
        complete = None if table in ALWAYS_NEWEST else self._manifest().of(table)
        if complete is None or complete.writes[table] >= newest:
            return newest
        found = visible(complete.writes[table], newest, tables.history(table))
        if found < newest:
            name = tables.identifier(table)
            LOGGER.warning(
                "%s: version %d is read, as a later run of %s did not end", name, found, complete.stage
            )
        return found

    def check_made_from(self, table: str, bases: Sequence[str]) -> None:
        """Raise UserError when the run that wrote a table read other rows of a base than are visible now."""
        made = self._manifest().of(table)
        if made is None:
            return
        for base in bases:
            then, now = made.reads.get(base), self.version(base)
            if then is not None and then != now and self._tables.changed_since(base, then, until=now):
                raise UserError(
                    f"{self._tables.identifier(table)} was made from version {then} of {base}, which has "
                    f"version {now} now: run `sequoia {made.stage}` again"
                )

    def _manifest(self) -> Manifest:
        if not self._tables.exists(DIARY):
            return Manifest([])
        version = self._tables.version(DIARY)
        if self._known is None or self._known[0] != version:
            rows = self._tables.rows_at(DIARY, version, COLUMNS, {"status": ["done"]})
            self._known = version, Manifest(rows)
        return self._known[1]


def visible(complete: int | None, newest: int, commits: Sequence[Mapping[str, Any]]) -> int:
    """Return the version to read: the newest that no unfinished run of a stage has a part in.

    complete: the version that the last complete run wrote; commits: those known, newest first.
    """
    if complete is None or complete >= newest:
        return newest
    torn = [commit["version"] for commit in commits if commit["version"] > complete and _is_ours(commit)]
    return min(torn) - 1 if torn else newest


def _is_ours(commit: Mapping[str, Any]) -> bool:
    try:
        note = json.loads(commit.get("userMetadata") or "{}")
    except ValueError:
        return False
    return isinstance(note, dict) and "run_id" in note
