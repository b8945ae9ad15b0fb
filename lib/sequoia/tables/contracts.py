"""The contracts in schemas/*.sql: the only place where columns, units and constraints are written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A table's DDL, cut into what creates it, what constrains it, and its version."""

    table: str
    create: str
    constraints: dict[str, str]
    columns: str
    partitions: tuple[str, ...]
    version: int


@cache
def contract(table: str) -> Contract:
    """Read schemas/<table>.sql."""
    text = (files("sequoia.schemas") / f"{table}.sql").read_text(encoding="utf-8")
    plain = re.sub(r"^--.*$", "", text, flags=re.M)
    # A statement ends where its line does: column comments hold semicolons, too.
    statements = [part.strip() for part in re.split(r";\s*$", plain, flags=re.M) if part.strip()]
    create, *alters = statements
    head, _, _ = create.partition(") USING DELTA")
    partitioned = re.search(r"PARTITIONED BY \(([^)]*)\)", create)
    return Contract(
        table=table,
        create=create,
        constraints={_constraint_name(alter): alter for alter in alters},
        columns=head[head.index("(") + 1 :],
        partitions=tuple(name.strip() for name in partitioned.group(1).split(",")) if partitioned else (),
        version=int(_required(r"'sequoia\.schemaVersion' = '(\d+)'", create)),
    )


@cache
def table_names() -> tuple[str, ...]:
    """Return the names of all tables that have a contract."""
    folder = files("sequoia.schemas")
    return tuple(sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".sql")))


def _constraint_name(alter: str) -> str:
    return _required(r"ADD CONSTRAINT (\w+)", alter)


def _required(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"{pattern} not in: {text}"
    return found.group(1)
