"""Delta tables by name: created from their contract, read at a version, replaced in one commit.

A table lives in a catalog schema (`main.sequoia.interactions`) or in a folder of the workspace
(`<workspace>/warehouse/interactions`); the code that uses it cannot tell the difference. Frames are Spark's;
rows that the driver makes or reads, and files that tasks write, need no Spark where the folder is this
machine's (`sequoia.tables.local`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from sequoia.errors import UserError
from sequoia.storage import Location, spark_uri, uri
from sequoia.tables.check_clause import condition
from sequoia.tables.contracts import contract
from sequoia.tables.edge import DeletedRowsError, Edge, Row, Values
from sequoia.tables.gone import GoneError
from sequoia.tables.manifest import Visible
from sequoia.tables.parts import OutdatedError, Part, Target
from sequoia.tables.spark_tables import SparkTables

MAINTENANCE = {
    *("OPTIMIZE", "VACUUM START", "VACUUM END", "REORG", "FSCK", "ANALYZE", "COMPUTE STATS", "CLUSTER BY"),
    *("SET TBLPROPERTIES", "UNSET TBLPROPERTIES", "ADD CONSTRAINT", "DROP CONSTRAINT", "CHANGE COLUMN"),
}


class Tables:
    """The tables of one warehouse, with a note of every version read and written (for lineage).

    start: returns the Spark session, asked for when a table needs one.
    """

    def __init__(
        self, start: Callable[[], SparkSession], *, namespace: str | None, folder: Location, run_id: str
    ) -> None:
        self.run_id = run_id
        self.reads: dict[str, int] = {}
        self.writes: dict[str, int] = {}
        self._frames = SparkTables(start, namespace=namespace, warehouse=folder)
        self._edge: Edge = self._frames if namespace else _local_tables(folder) or self._frames
        self._checked: set[str] = set()
        self._visible = Visible(self)

    @property
    def in_catalog(self) -> bool:
        """Say whether the tables are a catalog's, not a folder's."""
        return self._frames.in_catalog

    def identifier(self, table: str) -> str:
        """Return the name SQL knows the table by, quoted."""
        return self._frames.identifier(table)

    def exists(self, table: str) -> bool:
        """Say whether the table has been written."""
        return self._frames.exists(table)

    def version(self, table: str) -> int:
        """Return the newest version."""
        return self._frames.version(table)

    def table_id(self, table: str) -> str:
        """Return Delta's own id of the table, which another table of the same name does not share."""
        return self._edge.facts(table).id

    def properties(self, table: str) -> dict[str, str]:
        """Return the table's properties."""
        return self._edge.facts(table).properties

    def schema(self, table: str) -> StructType:
        """Return the contract's columns as a Spark schema."""
        return contract(table).schema

    def read(
        self, table: str, *, version: int | None = None, written_by: str = "the stage before"
    ) -> DataFrame:
        """Read a table at a version and note the version for lineage.

        Without a version, the newest that no unfinished run of a stage has a part in; what the stage itself
        has written since `start_stage` it sees. Raises UserError when it was never written or follows an
        older contract.
        """
        return self._frames.frame(table, self._pin(table, version, written_by))

    def rows(
        self,
        table: str,
        *,
        columns: Sequence[str] | None = None,
        where: Values | None = None,
        written_by: str = "the stage before",
    ) -> list[dict[str, Any]]:
        """Read a small table, or the rows whose columns hold one of these values; times are in UTC.

        Small is what grows with files and runs, never with users, items or events: the driver holds all of
        it. The version is noted; raises UserError as `read` does.
        """
        return self.rows_at(table, self._pin(table, None, written_by), columns, where or {})

    def rows_at(
        self, table: str, version: int, columns: Sequence[str] | None, where: Values
    ) -> list[dict[str, Any]]:
        """Read a small table as `rows` does, at a version, which is not noted."""
        return self._edge.rows(table, version, columns, where)

    def files(self, table: str, *, written_by: str = "the stage before") -> list[Part]:
        """Return the files of the version that `read` reads, which is noted; raises UserError as it does.

        Copies below the workspace where only the catalog may open them; without counts where only Spark can
        tell. A reader of plain Parquet would see rows or names that are not there where the table has
        deletion vectors or column mapping: raises UserError.
        """
        return self.files_at(table, self._pin(table, None, written_by))

    def files_at(self, table: str, version: int) -> list[Part]:
        """Return the files of a version as `files` does; it is not noted."""
        refuse_unsafe(self.properties(table), self.identifier(table))
        try:
            return self._edge.files(table, version)
        except DeletedRowsError as error:
            raise UserError(
                f"{self.identifier(table)} version {version} has {error.rows} rows but its files hold "
                f"{error.held}: it has deletion vectors; run REORG TABLE ... APPLY (PURGE) and try again"
            ) from None

    def check_files(self, table: str, version: int) -> None:
        """Raise an error that `sequoia.tables.gone` knows when the table, the version or a file is gone."""
        if not self.exists(table):  # the log of a folder that was removed may still be in Spark's memory
            raise GoneError.table(table)
        self._edge.check_files(table, version)

    def counts(self, table: str, column: str) -> list[tuple[dict[str, str], int, int]]:
        """Return of each partition its values, its rows, and those with a value in the column."""
        return self._edge.counts(table, self._pin(table, None, "the stage before"), column)

    def _pin(self, table: str, version: int | None, written_by: str) -> int:
        if not self.exists(table):
            raise UserError(f"table {self.identifier(table)} does not exist: run {written_by} first")
        self._check_contract(table)
        self.reads[table] = self._visible_version(table) if version is None else version
        return self.reads[table]

    def _visible_version(self, table: str) -> int:
        return self.version(table) if table in self.writes else self._visible.version(table)

    def start_stage(self) -> None:
        """Forget what the stage before read and wrote."""
        self.reads, self.writes = {}, {}

    def check_made_from(self, table: str, bases: Sequence[str]) -> None:
        """Raise UserError when the run that wrote a table read other rows of a base than are visible now."""
        if table not in self.writes:
            self._visible.check_made_from(table, bases)

    def ensure(self, table: str) -> None:
        """Create the table with its constraints in one commit; refuse one of another contract."""
        if not self.exists(table):
            self._edge.create(contract(table))
        self._check_contract(table)

    def add_rows(self, table: str, rows: Sequence[Row]) -> int:
        """Add a few rows of all columns in one commit; return the new version."""
        return self._write_rows(table, rows, "append")

    def replace_rows(self, table: str, rows: Sequence[Row]) -> int:
        """Replace a small table by rows of all columns in one commit; return the new version."""
        return self._write_rows(table, rows, "overwrite")

    def _write_rows(self, table: str, rows: Sequence[Row], mode: Literal["append", "overwrite"]) -> int:
        self.ensure(table)
        self._edge.write_rows(table, rows, mode, self._note)
        return self._written(table)

    def overwrite(self, table: str, rows: DataFrame) -> int:
        """Replace the table's rows in one commit; return the new version."""
        if not self.exists(table):
            return self.append(table, rows)  # spares Delta a second of looking for files to replace
        self._check_contract(table)
        self._frames.write(table, rows, "overwrite", self._note)
        return self._written(table)

    def append(self, table: str, rows: DataFrame) -> int:
        """Add rows in one commit; return the new version."""
        self.ensure(table)
        self._frames.write(table, rows, "append", self._note)
        return self._written(table)

    def _written(self, table: str) -> int:
        self.writes[table] = self.version(table)
        return self.writes[table]

    def begin(self, table: str) -> int:
        """Return the version that a commit will build on; makes the table where there is none."""
        self.ensure(table)
        return self.version(table)

    def target(self, table: str) -> Target:
        """Return where tasks write files for `publish`."""
        terms = contract(table)
        return Target(
            folder=uri(self._edge.folder(table)),
            columns=to_arrow_schema(terms.schema),
            conditions={name: condition(check) for name, check in terms.constraints.items()},
        )

    def publish(self, table: str, parts: Sequence[Part], *, on: int, replacing: Values | None = None) -> int:
        """Make files at its `target` the table's rows, in one commit on version `on`; return the new one.

        replacing: of a partition column the values whose rows they take the place of; None: of all rows.
        Raises UserError when another writer has committed since: its rows stay.
        """
        try:
            self.writes[table] = self._edge.publish(table, parts, on, replacing, self._note)
        except OutdatedError:
            raise UserError(
                f"another run has written {self.identifier(table)} since this one read version {on}: "
                "its rows stay, run this stage again"
            ) from None
        return self.writes[table]

    @property
    def _note(self) -> str:
        """Return what every commit says of its writer."""
        return json.dumps({"run_id": self.run_id})

    def history(self, table: str) -> list[dict[str, Any]]:
        """Return the commits that are still known, newest first.

        Of each version, operation, operationParameters and userMetadata.
        """
        return self._edge.history(table)

    def changed_since(self, table: str, version: int, *, until: int | None = None) -> bool:
        """Say whether rows may have changed since a version: maintenance such as OPTIMIZE changes none.

        until: the version to compare with, the newest by default; one before `version` has other rows.
        """
        if until is not None and until < version:
            return True
        known = [one for one in self.history(table) if until is None or one["version"] <= until]
        later = [commit for commit in known if commit["version"] > version]
        forgotten = len(known) == len(later) and (not later or later[-1]["version"] > version + 1)
        return forgotten or any(commit["operation"] not in MAINTENANCE for commit in later)

    def old_files(self, table: str, hours: int) -> list[Path] | None:
        """Return the files that no version younger than this needs; None where only VACUUM can tell."""
        return self._edge.old_files(table, hours)

    def _check_contract(self, table: str) -> None:
        if table in self._checked:
            return
        wanted, found = contract(table), self._edge.facts(table)
        version = found.properties.get("sequoia.schemaVersion", "none")
        if version != str(wanted.version) or _columns(found.columns) != _columns(wanted.schema):
            raise UserError(
                f"table {self.identifier(table)} has schema version {version}, sequoia writes "
                f"version {wanted.version}: move it away (or choose another workspace) and run the "
                "stages again"
            )
        self._checked.add(table)


def _local_tables(folder: Location) -> Edge | None:
    """Return the tables as deltalake opens them, None where Spark has to.

    What Databricks mounts is a folder here, too, but has no renaming that only one of two can do; and
    deltalake would move packages of its runtime, so it may be missing.
    """
    if not spark_uri(folder).startswith("file:") or find_spec("deltalake") is None:
        return None
    from sequoia.tables.local import LocalTables

    return LocalTables(Path(uri(folder)))


def refuse_unsafe(properties: dict[str, str], identifier: str) -> None:
    """Raise UserError where the files of a Delta table are not its rows."""
    if properties.get("delta.enableDeletionVectors", "false") == "true":
        raise UserError(
            f"{identifier} allows deletion vectors, which readers of plain Parquet cannot see: set "
            "delta.enableDeletionVectors = false, run REORG TABLE ... APPLY (PURGE) and try again"
        )
    mode = properties.get("delta.columnMapping.mode", "none")
    if mode != "none":
        raise UserError(
            f"{identifier} has column mapping mode {mode}: rewrite it with mode none and try again"
        )


def _columns(schema: StructType) -> list[tuple[str, str]]:
    return [(field.name, field.dataType.simpleString()) for field in schema]
