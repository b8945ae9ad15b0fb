"""Delta tables by Spark: of a catalog, of an object store, and frames of any size of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sequoia.storage import Location, entries, from_encoded, is_mounted, locate, remove, spark_uri, uri
from sequoia.tables.contracts import Contract, contract
from sequoia.tables.edge import DeletedRowsError, Facts, Row, Values
from sequoia.tables.identifiers import literal, parts, path_identifier, quoted
from sequoia.tables.parts import OutdatedError, Part, rows_of_file
from sequoia.tables.refusal import told

LOG = "_delta_log"
Mode = Literal["append", "overwrite"]


class SparkTables:
    """The tables of a catalog's schema, or in the folders of a warehouse.

    start: returns the Spark session, asked for when a table needs one.
    """

    def __init__(
        self, start: Callable[[], SparkSession], *, namespace: str | None, warehouse: Location
    ) -> None:
        self._start = start
        self._namespace = parts(namespace) if namespace else None
        self._warehouse = warehouse

    @cached_property
    def spark(self) -> SparkSession:
        """Return the Spark session, started at first use."""
        return self._start()

    @property
    def in_catalog(self) -> bool:
        """Say whether the tables are a catalog's, not a folder's."""
        return self._namespace is not None

    def identifier(self, table: str) -> str:
        """Return the name SQL knows the table by, quoted."""
        if self._namespace:
            return quoted(*self._namespace, table)
        return path_identifier(self._warehouse / table)

    def exists(self, table: str) -> bool:
        """Say whether the table has been written; of a folder without Spark."""
        if self._namespace:
            with self._told(table):
                return self.spark.catalog.tableExists(self.identifier(table))
        return (self._warehouse / table / LOG).is_dir()

    def version(self, table: str) -> int:
        """Return the newest version; of a folder without Spark."""
        if not self._namespace:
            # Every commit is a numbered file of the log, and the newest one is never cleaned away.
            log = self._warehouse / table / LOG
            return max(int(commit.stem) for commit in log.glob("*.json") if commit.stem.isdigit())
        history = self._sql(table, f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1")
        return int(history.select("version").first()["version"])  # type: ignore[index]

    def create(self, terms: Contract) -> None:
        """Make an empty table, as `Edge` says."""
        self._sql(terms.table, terms.create.replace("${table}", self.identifier(terms.table)))

    def facts(self, table: str) -> Facts:
        """Read the metadata, as `Edge` says."""
        detail = self._sql(table, f"DESCRIBE DETAIL {self.identifier(table)}").select("id", "properties")
        found = detail.first()
        columns = self._sql(table, f"SELECT * FROM {self.identifier(table)} LIMIT 0").schema
        return Facts(id=found["id"], properties=found["properties"], columns=columns)  # type: ignore[index]

    def history(self, table: str) -> list[dict[str, Any]]:
        """Return the commits, as `Edge` says."""
        found = self._sql(table, f"DESCRIBE HISTORY {self.identifier(table)}")
        known = found.select("version", "operation", "operationParameters", "userMetadata").orderBy(
            F.desc("version")
        )
        return [row.asDict() for row in known.collect()]  # one per commit of the last 30 days

    def frame(self, table: str, version: int) -> DataFrame:
        """Return a table at a version."""
        return self._sql(table, f"SELECT * FROM {self.identifier(table)} VERSION AS OF {version}")

    def rows(
        self, table: str, version: int, columns: Sequence[str] | None, where: Values
    ) -> list[dict[str, Any]]:
        """Return the rows of a small table, as `Edge` says."""
        frame = self.frame(table, version)
        for name, values in where.items():
            frame = frame.where(F.col(name).isin(list(values)))
        found = frame.select(*columns or "*").collect()  # small: grows with files and runs
        return [{key: in_utc(value) for key, value in row.asDict(True).items()} for row in found]

    def write_rows(self, table: str, rows: Sequence[Row], mode: Mode, note: str) -> None:
        """Write the rows of a small table, as `Edge` says."""
        schema = contract(table).schema
        values = [tuple(row[field.name] for field in schema) for row in rows]
        self.write(table, self.spark.createDataFrame(values, schema).coalesce(1), mode, note)

    def write(self, table: str, rows: DataFrame, mode: Mode, note: str, where: str | None = None) -> None:
        """Add rows, or replace those that match `where` or all by them, in one commit."""
        terms = contract(table)
        columns = [F.col(field.name).cast(field.dataType).alias(field.name) for field in terms.schema]
        chosen = rows.select(*columns)
        if self._namespace:
            # saveAsTable would replace the table by another, which not every catalog can, and log that.
            with self._told(table):
                named = chosen.writeTo(self.identifier(table)).option("userMetadata", note)
                if mode == "append":
                    named.append()
                else:
                    named.overwrite(F.expr(where) if where else F.lit(True))
        else:
            writer = chosen.write.format("delta").mode(mode).option("userMetadata", note)
            writer = writer.option("replaceWhere", where) if where else writer
            writer.partitionBy(*terms.partitions).save(spark_uri(self._warehouse / table))

    @property
    def exports(self) -> Location:
        """Return where versions of tables are copied to whose files only the catalog may open."""
        return self._warehouse.parent / "snapshots"

    def folder(self, table: str) -> Location:
        """Return a folder beside the tables: what lies there, Spark copies into them."""
        return self._warehouse.parent / "snapshots" / f".{table}.partial"

    def publish(self, table: str, parts: Sequence[Part], on: int, replacing: Values | None, note: str) -> int:
        """Copy files into the table, as `Edge` says."""
        if self.version(table) != on:
            raise OutdatedError(table, on)
        schema = contract(table).schema
        reader = self.spark.read.schema(schema).option("__globPaths__", "false")
        reader = reader.option("basePath", spark_uri(self.folder(table)))
        paths = [spark_uri(locate(part.path)) for part in parts]
        rows = reader.parquet(*paths) if paths else self.spark.createDataFrame([], schema)
        where = [
            f"{quoted(column)} IN ({', '.join(map(literal, values))})"
            for column, values in (replacing or {}).items()
        ]
        self.write(table, rows, "overwrite", note, " OR ".join(where) or None)
        written = self.version(table)
        if written != on + 1:
            raise OutdatedError(table, on)
        for part in parts:
            remove(locate(part.path))
        return written

    def files(self, table: str, version: int) -> list[Part]:
        """Return the files of a version, or copies, without counts."""
        frame, columns = self.frame(table, version), contract(table).partitions
        told = frame.select("_metadata.file_path", "_metadata.file_size", *columns).distinct()
        rows = told.orderBy("file_path").collect()  # one per file
        if self.in_catalog and not all(is_mounted(row["file_path"]) for row in rows):
            return self._copies(table, version, frame)
        found = [
            Part(
                path=uri(from_encoded(row["file_path"])),
                rows=0,
                bytes=row["file_size"],
                partition={column: row[column] for column in columns},
            )
            for row in rows
        ]
        detail = self._sql(table, f"DESCRIBE DETAIL {self.identifier(table)}").select("tableFeatures").first()
        if "deletionVectors" in detail["tableFeatures"]:  # type: ignore[index]
            counted, held = frame.count(), sum(map(rows_of_file, (part.path for part in found)))
            if counted != held:
                raise DeletedRowsError(rows=counted, held=held)
        return found

    def check_files(self, table: str, version: int) -> None:
        """Open every file of the version without reading its rows, as `Edge` says."""
        self.frame(table, version).agg(F.max("_metadata.file_size")).collect()

    def _copies(self, table: str, version: int, frame: DataFrame) -> list[Part]:
        """Write the rows as plain Parquet, one file per partition, once per version; return the files."""
        made = self.facts(table).id[:8]  # another table may come to have the name
        folder, columns = self.exports / f"{table}.{made}-{version}", contract(table).partitions
        if not (folder / "_SUCCESS").is_file():
            arranged = frame.repartition(*columns) if columns else frame
            arranged.write.mode("overwrite").partitionBy(*columns).parquet(spark_uri(folder))
        return [
            Part(
                path=uri(entry.location),
                rows=0,
                bytes=entry.bytes,
                partition=dict(map(_pair, entry.relative.split("/")[:-1])),
            )
            for entry in entries(folder)
            if entry.relative.endswith(".parquet")
        ]

    def counts(self, table: str, version: int, column: str) -> list[tuple[dict[str, str], int, int]]:
        """Count rows by partition, as `Edge` says."""
        columns = contract(table).partitions
        counted = self.frame(table, version).groupBy(*columns).agg(F.count(F.lit(1)), F.count(column))
        rows = counted.collect()  # one per partition
        return [({name: row[name] for name in columns}, *row[-2:]) for row in rows]

    def old_files(self, table: str, hours: int) -> None:
        """Return nothing: VACUUM tells."""
        del table, hours

    def _sql(self, table: str, statement: str) -> DataFrame:
        with self._told(table):
            return self.spark.sql(statement)

    def _told(self, table: str) -> AbstractContextManager[None]:
        """Tell in one sentence that the catalog refuses a table; a folder has nobody who would."""
        if not self._namespace:
            return nullcontext()
        return told(".".join(self._namespace), self.identifier(table))


def _pair(folder: str) -> tuple[str, str]:
    column, _, value = folder.partition("=")
    return column, unquote(value)


def in_utc(value: Any) -> Any:
    """Return a time that Spark gave Python, in this machine's zone without saying so, in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
