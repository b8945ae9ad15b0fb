"""The contracts in schemas/*.sql: the only place where columns, units and constraints are written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A table's DDL: one statement that creates it with its constraints, and what the code asks of it."""

    table: str
    create: str
    constraints: tuple[str, ...]
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
    constraints = dict(_constraint(alter) for alter in alters)
    head, _, _ = create.partition(") USING DELTA")
    partitioned = re.search(r"PARTITIONED BY \(([^)]*)\)", create)
    return Contract(
        table=table,
        create=_with_constraints(create, constraints),
        constraints=tuple(constraints),
        columns=head[head.index("(") + 1 :],
        partitions=tuple(name.strip() for name in partitioned.group(1).split(",")) if partitioned else (),
        version=int(_required(r"'sequoia\.schemaVersion' = '(\d+)'", create).group(1)),
    )


@cache
def table_names() -> tuple[str, ...]:
    """Return the names of all tables that have a contract."""
    folder = files("sequoia.schemas")
    return tuple(sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".sql")))


def _constraint(alter: str) -> tuple[str, str]:
    found = _required(r"ADD CONSTRAINT (\w+)\s+CHECK \((.*)\)\s*$", alter)
    return found.group(1), " ".join(found.group(2).split())


def _with_constraints(create: str, constraints: dict[str, str]) -> str:
    """Move constraints into the table's properties, where ALTER TABLE puts them with a commit for each."""
    entries = [f"""'delta.constraints.{name}' = "{check}", """ for name, check in constraints.items()]
    return create.replace("TBLPROPERTIES (", f"TBLPROPERTIES ({''.join(entries)}")


def _required(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text, flags=re.S)
    assert found, f"{pattern} not in: {text}"
    return found
