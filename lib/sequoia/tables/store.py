"""Delta tables by name: created from their contract, read at a version, replaced in one commit.

A table lives in a catalog schema (`main.sequoia.interactions`) or in a folder of the workspace
(`<workspace>/warehouse/interactions`); the code that uses it cannot tell the difference. Large tables are
Spark's frames; what the driver makes or reads row by row, such as the diary, needs no Spark where the folder
is this machine's (`sequoia.tables.local`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from sequoia.errors import UserError
from sequoia.storage import Location, from_encoded, locate, remove, spark_uri, uri
from sequoia.tables.contracts import contract
from sequoia.tables.identifiers import literal, parts, path_identifier, quoted
from sequoia.tables.manifest import Visible
from sequoia.tables.parts import OutdatedError, Part, Target
from sequoia.tables.refusal import told

if TYPE_CHECKING:
    from sequoia.tables.local import LocalTables

LOG = "_delta_log"
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
        self._start = start
        self._namespace = parts(namespace) if namespace else None
        self._folder = folder
        self._local = None if namespace else _local_tables(folder)
        self._checked: set[str] = set()
        self._visible = Visible(self)

    @cached_property
    def spark(self) -> SparkSession:
        """Return the Spark session, started at first use."""
        return self._start()

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
        return (self._folder / table / LOG).is_dir()

    def version(self, table: str) -> int:
        """Return the newest version."""
        if not self._namespace:
            # Every commit is a numbered file of the log, and the newest one is never cleaned away.
            log = self._folder / table / LOG
            return max(int(commit.stem) for commit in log.glob("*.json") if commit.stem.isdigit())
        history = self._sql(table, f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1")
        return int(history.select("version").first()["version"])  # type: ignore[index]

    def table_id(self, table: str) -> str:
        """Return Delta's own id of the table, which another table of the same name does not share."""
        if self._local:
            return self._local.facts(table).id
        detail = self._sql(table, f"DESCRIBE DETAIL {self.identifier(table)}")
        return str(detail.select("id").first()["id"])  # type: ignore[index]

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
        return self._at(table, self._pin(table, version, written_by))

    def _at(self, table: str, version: int) -> DataFrame:
        return self._sql(table, f"SELECT * FROM {self.identifier(table)} VERSION AS OF {version}")

    def rows(
        self,
        table: str,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[str]] | None = None,
        written_by: str = "the stage before",
    ) -> list[dict[str, Any]]:
        """Read a small table, or the rows whose columns hold one of these values; times are in UTC.

        Small is what grows with files and runs, never with users, items or events: the driver holds all of
        it. The version is noted; raises UserError as `read` does.
        """
        return self.rows_at(table, self._pin(table, None, written_by), columns, where or {})

    def rows_at(
        self, table: str, version: int, columns: Sequence[str] | None, where: Mapping[str, Sequence[str]]
    ) -> list[dict[str, Any]]:
        """Read a small table as `rows` does, at a version, which is not noted."""
        if self._local:
            return self._local.read(table, version=version, columns=columns, where=where)
        frame = self._at(table, version)
        for name, values in where.items():
            frame = frame.where(F.col(name).isin(list(values)))
        found = frame.select(*columns or "*").collect()
        return [{key: in_utc(value) for key, value in row.asDict(True).items()} for row in found]

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
        if self.exists(table):
            self._check_contract(table)
        else:
            self._sql(table, contract(table).create.replace("${table}", self.identifier(table)))
            self._checked.add(table)

    def ensure_small(self, table: str) -> None:
        """Create a table of rows that the driver makes, as `ensure` does; without Spark if it can be."""
        if self._local and not self.exists(table):
            self._local.create(contract(table))
        self.ensure(table)

    def add_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Add a few rows of all columns in one commit; return the new version."""
        return self._write_rows(table, rows, "append")

    def replace_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Replace a small table by rows of all columns in one commit; return the new version."""
        return self._write_rows(table, rows, "overwrite")

    def _write_rows(
        self, table: str, rows: Sequence[Mapping[str, Any]], mode: Literal["append", "overwrite"]
    ) -> int:
        self.ensure_small(table)
        if self._local:
            self._local.write(table, rows, mode=mode, note=self._note)
            self.writes[table] = self.version(table)
            return self.writes[table]
        schema = self.schema(table)
        values = [tuple(row[field.name] for field in schema) for row in rows]
        return self._write(table, self.spark.createDataFrame(values, schema).coalesce(1), mode)

    def overwrite(self, table: str, rows: DataFrame, *, where: str | None = None) -> int:
        """Replace the table, or the rows that match `where`, in one commit; return the new version."""
        if not self.exists(table):
            return self.append(table, rows)  # spares Delta a second of looking for files to replace
        return self._write(table, rows, "overwrite", where)

    def append(self, table: str, rows: DataFrame) -> int:
        """Add rows in one commit; return the new version."""
        return self._write(table, rows, "append")

    def _write(
        self, table: str, rows: DataFrame, mode: Literal["append", "overwrite"], where: str | None = None
    ) -> int:
        self.ensure(table)
        columns = [F.col(field.name).cast(field.dataType).alias(field.name) for field in self.schema(table)]
        chosen = rows.select(*columns)
        if self._namespace:
            # saveAsTable would replace the table by another, which not every catalog can, and log that.
            with self._told(table):
                named = chosen.writeTo(self.identifier(table)).option("userMetadata", self._note)
                if mode == "append":
                    named.append()
                else:
                    named.overwrite(F.expr(where) if where else F.lit(True))
        else:
            writer = chosen.write.format("delta").mode(mode).option("userMetadata", self._note)
            writer = writer.option("replaceWhere", where) if where else writer
            writer.partitionBy(*contract(table).partitions).save(spark_uri(self._folder / table))
        self.writes[table] = self.version(table)
        return self.writes[table]

    def begin(self, table: str) -> int:
        """Return the version that a commit will build on; makes the table where there is none."""
        self.ensure_small(table)
        return self.version(table)

    def target(self, table: str) -> Target:
        """Return where tasks write files for `publish`."""
        folder = self._folder / table if self._local else self.export_folder / "parts" / table
        return Target(folder=uri(folder), columns=to_arrow_schema(self.schema(table)))

    def publish(
        self,
        table: str,
        parts: Sequence[Part],
        *,
        on: int,
        replacing: Mapping[str, Sequence[str]] | None = None,
    ) -> int:
        """Make files at its `target` the table's rows, in one commit on version `on`; return the new one.

        replacing: of a partition column the values whose rows they take the place of; None: of all rows.
        Raises UserError when another writer has committed since: its rows stay.
        """
        try:
            if self._local:
                gone = [
                    part
                    for part in self._local.files(table, on)
                    if replacing is None
                    or any(part.partition[column] in values for column, values in replacing.items())
                ]
                self._local.commit(table, parts, gone, version=on, note=self._note)
                self.writes[table] = on + 1
            else:
                self._publish_through_spark(table, parts, on, replacing)
        except OutdatedError:
            raise UserError(
                f"another run has written {self.identifier(table)} since this one read version {on}: "
                "its rows stay, run this stage again"
            ) from None
        return self.writes[table]

    def _publish_through_spark(
        self, table: str, parts: Sequence[Part], on: int, replacing: Mapping[str, Sequence[str]] | None
    ) -> None:
        if self.version(table) != on:
            raise OutdatedError(table, on)
        reader = self.spark.read.schema(self.schema(table)).option("__globPaths__", "false")
        reader = reader.option("basePath", spark_uri(locate(self.target(table).folder)))
        paths = [spark_uri(locate(part.path)) for part in parts]
        rows = reader.parquet(*paths) if paths else self.spark.createDataFrame([], self.schema(table))
        where = [
            f"{quoted(column)} IN ({', '.join(map(literal, values))})"
            for column, values in (replacing or {}).items()
        ]
        written = self.overwrite(table, rows, where=" OR ".join(where) or None)
        if written != on + 1:
            raise OutdatedError(table, on)
        for part in parts:
            remove(locate(part.path))

    def files(self, table: str, *, written_by: str = "the stage before") -> list[Part]:
        """Return the files of the version that `read` reads, which is noted; raises UserError as it does.

        Where only Spark can tell, without counts.
        """
        if self._local:
            return self._local.files(table, self._pin(table, None, written_by))
        columns = contract(table).partitions
        found = self.read(table, written_by=written_by).select(
            "_metadata.file_path", "_metadata.file_size", *columns
        )
        return [
            Part(
                path=uri(from_encoded(row["file_path"])),
                rows=0,
                bytes=row["file_size"],
                partition={column: row[column] for column in columns},
            )
            for row in found.distinct().orderBy("file_path").collect()  # one per file
        ]

    def counts(self, table: str, column: str) -> list[tuple[dict[str, str], int, int]]:
        """Return of each partition its values, its rows, and those with a value in the column."""
        columns = contract(table).partitions
        if not self._local:
            rows = self.read(table).groupBy(*columns).agg(F.count(F.lit(1)), F.count(column)).collect()
            return [({name: row[name] for name in columns}, *row[-2:]) for row in rows]  # one per partition
        found: dict[tuple[str, ...], list[int]] = {}
        for part in self.files(table):
            sums = found.setdefault(tuple(part.partition[name] for name in columns), [0, 0])
            sums[0] += part.rows
            sums[1] += part.rows - part.nulls[column]
        return [(dict(zip(columns, of, strict=True)), sums[0], sums[1]) for of, sums in found.items()]

    @property
    def _note(self) -> str:
        """Return what every commit says of its writer."""
        return json.dumps({"run_id": self.run_id})

    def history(self, table: str) -> list[dict[str, Any]]:
        """Return the commits that are still known, newest first.

        Of each version, operation, operationParameters and userMetadata.
        """
        if self._local:
            return self._local.history(table)
        found = self._sql(table, f"DESCRIBE HISTORY {self.identifier(table)}")
        known = found.select("version", "operation", "operationParameters", "userMetadata").orderBy(
            F.desc("version")
        )
        return [row.asDict() for row in known.collect()]  # one per commit of the last 30 days

    def changed_since(self, table: str, version: int, *, until: int | None = None) -> bool:
        """Say whether rows may have changed since a version: maintenance such as OPTIMIZE changes none.

        until: the version to compare with, the newest by default; one before `version` has other rows.
        """
        known = self.history(table)
        if until is not None and until < version:
            return True
        known = [commit for commit in known if until is None or commit["version"] <= until]
        later = [commit for commit in known if commit["version"] > version]
        forgotten = len(known) == len(later) and (not later or later[-1]["version"] > version + 1)
        return forgotten or any(commit["operation"] not in MAINTENANCE for commit in later)

    def old_files(self, table: str, hours: int) -> list[Path] | None:
        """Return the files that no version younger than this needs; None where only Spark can tell."""
        return self._local.old_files(table, hours) if self._local else None

    def restore(self, table: str, version: int) -> None:
        """Bring back the rows of an earlier version as a new one."""
        self._sql(table, f"RESTORE TABLE {self.identifier(table)} TO VERSION AS OF {version}")

    def properties(self, table: str) -> dict[str, str]:
        """Return the table's properties."""
        if self._local:
            return self._local.facts(table).properties
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
        wanted = contract(table)
        if self._local:
            found = self._local.facts(table)
            properties, schema = found.properties, StructType.fromJson(found.columns)
        else:
            properties = self.properties(table)
            schema = self._sql(table, f"SELECT * FROM {self.identifier(table)} LIMIT 0").schema
        version = properties.get("sequoia.schemaVersion", "none")
        if version != str(wanted.version) or _columns(schema) != _columns(wanted.schema):
            raise UserError(
                f"table {self.identifier(table)} has schema version {version}, sequoia writes "
                f"version {wanted.version}: move it away (or choose another workspace) and run the "
                "stages again"
            )
        self._checked.add(table)


def _local_tables(folder: Location) -> LocalTables | None:
    """Return the tables as deltalake opens them, None where Spark has to.

    What Databricks mounts is a folder here, too, but has no renaming that only one of two can do; and
    deltalake would move packages of its runtime, so it may be missing.
    """
    if not spark_uri(folder).startswith("file:") or find_spec("deltalake") is None:
        return None
    from sequoia.tables.local import LocalTables

    return LocalTables(Path(uri(folder)))


def in_utc(value: Any) -> Any:
    """Return a time that Spark gave Python, in this machine's zone without saying so, in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _columns(schema: StructType) -> list[tuple[str, str]]:
    return [(field.name, field.dataType.simpleString()) for field in schema]
