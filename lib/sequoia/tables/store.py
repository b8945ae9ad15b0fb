"""Delta tables by name: created from their contract, read at a version, replaced in one commit.

A table lives in a catalog schema (`main.sequoia.interactions`) or in a folder of the workspace
(`<workspace>/warehouse/interactions`); the code that uses it cannot tell the difference.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from sequoia.errors import UserError
from sequoia.storage import Location, spark_uri
from sequoia.tables.contracts import contract
from sequoia.tables.identifiers import parts, path_identifier, quoted
from sequoia.tables.refusal import told


class Tables:
    """The tables of one warehouse, with a note of every version read and written (for lineage)."""

    def __init__(self, spark: SparkSession, *, namespace: str | None, folder: Location, run_id: str) -> None:
        self.spark = spark
        self.run_id = run_id
        self.reads: dict[str, int] = {}
        self.writes: dict[str, int] = {}
        self._namespace = parts(namespace) if namespace else None
        self._folder = folder
        self._schemas: dict[str, StructType] = {}
        self._checked: set[str] = set()

    @property
    def export_folder(self) -> Location:
        """Return where snapshots of tables are copied to whose files only the catalog may open."""
        return self._folder.parent / "snapshots"

    def identifier(self, table: str) -> str:
        """Return the name SQL knows the table by, quoted."""
        return quoted(*self._namespace, table) if self._namespace else path_identifier(self._folder / table)

    @property
    def in_catalog(self) -> bool:
        """Say whether the tables are a catalog's, not a folder's."""
        return self._namespace is not None

    def exists(self, table: str) -> bool:
        """Say whether the table has been written."""
        if self._namespace:
            with self._told(table):
                return self.spark.catalog.tableExists(self.identifier(table))
        return (self._folder / table / "_delta_log").is_dir()

    def version(self, table: str) -> int:
        """Return the newest version."""
        if not self._namespace:
            # Every commit is a numbered file of the log, and the newest one is never cleaned away.
            log = self._folder / table / "_delta_log"
            return max(int(commit.stem) for commit in log.glob("*.json") if commit.stem.isdigit())
        history = self._sql(table, f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1")
        return int(history.select("version").first()["version"])  # type: ignore[index]

    def table_id(self, table: str) -> str:
        """Return Delta's own id of the table, which another table of the same name does not share."""
        detail = self._sql(table, f"DESCRIBE DETAIL {self.identifier(table)}")
        return str(detail.select("id").first()["id"])  # type: ignore[index]

    def schema(self, table: str) -> StructType:
        """Return the contract's columns as a Spark schema."""
        if table not in self._schemas:
            self._schemas[table] = self.spark.createDataFrame([], contract(table).columns).schema
        return self._schemas[table]

    def read(
        self, table: str, *, version: int | None = None, written_by: str = "the stage before"
    ) -> DataFrame:
        """Read a table at a version (newest by default) and note the version for lineage.

        Raises UserError when it was never written or follows an older contract.
        """
        if not self.exists(table):
            raise UserError(f"table {self.identifier(table)} does not exist: run {written_by} first")
        self._check_contract(table)
        pinned = self.version(table) if version is None else version
        self.reads[table] = pinned
        return self._sql(table, f"SELECT * FROM {self.identifier(table)} VERSION AS OF {pinned}")

    def ensure(self, table: str) -> None:
        """Create the table with its constraints in one commit; refuse one of another contract."""
        if self.exists(table):
            self._check_contract(table)
        else:
            self._sql(table, contract(table).create.replace("${table}", self.identifier(table)))
            self._checked.add(table)

    def overwrite(self, table: str, rows: DataFrame, *, where: str | None = None) -> int:
        """Replace the table, or the rows that match `where`, in one commit; return the new version."""
        if not self.exists(table):
            return self.append(table, rows)  # spares Delta a second of looking for files to replace
        return self._write(table, rows, "overwrite", {"replaceWhere": where} if where else {})

    def append(self, table: str, rows: DataFrame) -> int:
        """Add rows in one commit; return the new version."""
        return self._write(table, rows, "append", {})

    def _write(self, table: str, rows: DataFrame, mode: str, options: dict[str, str]) -> int:
        self.ensure(table)
        columns = [F.col(field.name).cast(field.dataType).alias(field.name) for field in self.schema(table)]
        writer = rows.select(*columns).write.format("delta").mode(mode)
        writer = writer.option("userMetadata", json.dumps({"run_id": self.run_id})).options(**options)
        if partitions := contract(table).partitions:
            writer = writer.partitionBy(*partitions)
        if self._namespace:
            with self._told(table):
                writer.saveAsTable(self.identifier(table))
        else:
            writer.save(spark_uri(self._folder / table))
        self.writes[table] = self.version(table)
        return self.writes[table]

    def restore(self, table: str, version: int) -> None:
        """Bring back the rows of an earlier version as a new one."""
        self._sql(table, f"RESTORE TABLE {self.identifier(table)} TO VERSION AS OF {version}")

    def properties(self, table: str) -> dict[str, str]:
        """Return the table's properties."""
        rows = self._sql(table, f"SHOW TBLPROPERTIES {self.identifier(table)}").collect()  # a handful
        return {row["key"]: row["value"] for row in rows}

    def _sql(self, table: str, statement: str) -> DataFrame:
        with self._told(table):
            return self.spark.sql(statement)

    def _told(self, table: str) -> AbstractContextManager[None]:
        """Tell in one sentence that the catalog refuses a table; a folder has nobody who would."""
        if not self._namespace:
            return nullcontext()
        return told(".".join(self._namespace), self.identifier(table))

    def _check_contract(self, table: str) -> None:
        if table in self._checked:
            return
        wanted = contract(table).version
        found = self.properties(table).get("sequoia.schemaVersion", "none")
        columns = self._sql(table, f"SELECT * FROM {self.identifier(table)} LIMIT 0").dtypes
        expected = [(field.name, field.dataType.simpleString()) for field in self.schema(table)]
        if found != str(wanted) or columns != expected:
            raise UserError(
                f"table {self.identifier(table)} has schema version {found}, sequoia writes "
                f"version {wanted}: move it away (or choose another workspace) and run the stages again"
            )
        self._checked.add(table)
