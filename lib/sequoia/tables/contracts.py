"""The contracts in schemas/*.sql: the only place where columns, units and constraints are written down.

sqlglot reads them, so that Delta tables can be made, checked and written where no Spark runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import sqlglot
from pyspark.sql.types import StructType
from sqlglot import exp

# The names of types in SQL, and in Delta's log.
ATOMS = {
    "BOOLEAN": "boolean",
    "INT": "integer",
    "BIGINT": "long",
    "FLOAT": "float",
    "DOUBLE": "double",
    "STRING": "string",
    "TIMESTAMP": "timestamp",
}


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A table's DDL: one statement that creates it with its constraints, and what the code asks of it.

    columns: the schema in JSON, as Delta's log and Spark have it. constraints: CHECKs by name.
    """

    table: str
    create: str
    columns: dict[str, Any]
    constraints: dict[str, str]
    partitions: tuple[str, ...]
    properties: dict[str, str]
    comment: str

    @property
    def version(self) -> int:
        """Return the contract's own version."""
        return int(self.properties["sequoia.schemaVersion"])

    @property
    def schema(self) -> StructType:
        """Return the columns as a Spark schema."""
        return StructType.fromJson(self.columns)


@cache
def contract(table: str) -> Contract:
    """Read schemas/<table>.sql."""
    text = (files("sequoia.schemas") / f"{table}.sql").read_text(encoding="utf-8")
    plain = re.sub(r"^--.*$", "", text, flags=re.M)
    # A statement ends where its line does: column comments hold semicolons, too.
    create, *alters = (part.strip() for part in re.split(r";\s*$", plain, flags=re.M) if part.strip())
    constraints = dict(_constraint(alter) for alter in alters)
    parsed = sqlglot.parse_one(create.replace("${table}", table), read="databricks")
    told = parsed.args["properties"].expressions
    return Contract(
        table=table,
        create=_with_constraints(create, constraints),
        columns={"type": "struct", "fields": [_column(column) for column in parsed.this.expressions]},
        constraints=constraints,
        partitions=tuple(
            name.name for part in told if isinstance(part, exp.PartitionedByProperty) for name in part.this
        ),
        properties={part.name: part.args["value"].name for part in told if type(part) is exp.Property},
        comment=next(part.name for part in told if isinstance(part, exp.SchemaCommentProperty)),
    )


@cache
def table_names() -> tuple[str, ...]:
    """Return the names of all tables that have a contract."""
    folder = files("sequoia.schemas")
    return tuple(sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".sql")))


def _constraint(alter: str) -> tuple[str, str]:
    found = re.search(r"ADD CONSTRAINT (\w+)\s+CHECK \((.*)\)\s*$", alter, flags=re.S)
    assert found, f"no constraint in: {alter}"
    return found.group(1), " ".join(found.group(2).split())


def _with_constraints(create: str, constraints: dict[str, str]) -> str:
    """Move constraints into the table's properties, where ALTER TABLE puts them with a commit for each."""
    entries = [f"""'delta.constraints.{name}' = "{check}", """ for name, check in constraints.items()]
    return create.replace("TBLPROPERTIES (", f"TBLPROPERTIES ({''.join(entries)}")


def _column(column: exp.ColumnDef) -> dict[str, Any]:
    kinds = [entry.args["kind"] for entry in column.args["constraints"]]
    comments = [kind.name for kind in kinds if isinstance(kind, exp.CommentColumnConstraint)]
    required = any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds)
    return _field(column, nullable=not required, comment=comments[0])


def _field(column: exp.ColumnDef, *, nullable: bool = True, comment: str = "") -> dict[str, Any]:
    metadata = {"comment": comment} if comment else {}
    kind = _type(column.args["kind"])
    return {"name": column.name, "type": kind, "nullable": nullable, "metadata": metadata}


def _type(kind: exp.DataType) -> str | dict[str, Any]:
    inner = kind.expressions
    if kind.is_type("array"):
        return {"type": "array", "elementType": _type(inner[0]), "containsNull": True}
    if kind.is_type("map"):
        key, value = map(_type, inner)
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if kind.is_type("struct"):
        return {"type": "struct", "fields": [_field(column) for column in inner]}
    return ATOMS[kind.sql(dialect="databricks")]
