"""Small Delta tables in folders of this machine, written and read without Spark, by the package deltalake.

The diary, the accounts, metrics and the audit are a few rows that the driver makes and reads itself: 35 ms a
commit here, 0.9 s as a Spark job (tests/benchmarks/small_commits.py, two busy cores), and no JVM to start.
Spark reads and writes the same tables. Catalogs and object stores go through Spark: their catalog or log
store decides which of two writers was first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem
from pyspark.sql.types import StructType

from sequoia.storage import Location, locate
from sequoia.tables.contracts import Contract
from sequoia.tables.edge import DeletedRowsError, Facts, Row, Values
from sequoia.tables.gone import GoneError
from sequoia.tables.parts import OutdatedError, Part, now_in_milliseconds

LOG = "_delta_log"


class LocalTables:
    """The tables in the folders of one warehouse."""

    def __init__(self, warehouse: Path) -> None:
        self._warehouse = warehouse

    def facts(self, table: str) -> Facts:
        """Read the metadata of the newest version."""
        opened = self._open(table)
        metadata = opened.metadata()
        columns = StructType.fromJson(json.loads(opened.schema().to_json()))
        return Facts(id=str(metadata.id), properties=dict(metadata.configuration), columns=columns)

    def history(self, table: str) -> list[dict[str, Any]]:
        """Return the commits that are still known, newest first."""
        return [
            {"operationParameters": {}, "userMetadata": None, **commit}
            for commit in self._open(table).history()
        ]

    def create(self, terms: Contract) -> None:
        """Make an empty table with its constraints, complete or not at all; leave one that is there."""
        folder = self._warehouse / terms.table
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".partial") as scratch:
            fresh = Path(scratch) / folder.name
            checks = {f"delta.constraints.{name}": check for name, check in terms.constraints.items()}
            # CHECK constraints take version 3; deltalake's own way to add them knows few functions.
            protocol = {"delta.minReaderVersion": "1", "delta.minWriterVersion": "3"}
            DeltaTable.create(
                fresh,
                Schema.from_json(json.dumps(terms.columns)),
                partition_by=list(terms.partitions),
                description=terms.comment,
                configuration={**terms.properties, **checks, **protocol},
                raise_if_key_not_exists=False,  # sequoia.schemaVersion
            )
            folder.mkdir(exist_ok=True)
            try:
                (fresh / LOG).rename(folder / LOG)
            except OSError:
                if not (folder / LOG).is_dir():
                    raise

    def write_rows(
        self, table: str, rows: Sequence[Row], mode: Literal["append", "overwrite"], note: str
    ) -> None:
        """Add rows, or replace all rows by them, in one commit; constraints are checked.

        Every row has every column. note: kept with the commit. Raises TypeError for a value that the column
        could only hold changed.
        """
        opened = self._open(table)
        schema = pa.schema(opened.schema().to_arrow())
        columns = {field.name: [_given(row[field.name], field.type) for row in rows] for field in schema}
        noted = CommitProperties(custom_metadata={"userMetadata": note})
        write_deltalake(opened, pa.table(columns, schema=schema), mode=mode, commit_properties=noted)

    def rows(
        self, table: str, version: int, columns: Sequence[str] | None, where: Values
    ) -> list[dict[str, Any]]:
        """Return the rows at a version whose columns hold one of the values asked for; times are in UTC."""
        wanted = None
        for name, values in where.items():
            holds = ds.field(name).isin(pa.array(values, pa.string()))
            wanted = holds if wanted is None else wanted & holds
        # Not deltalake's file system: it calls Python; a thread that does so at the end aborts the process.
        files = SubTreeFileSystem(str(self._warehouse / table), LocalFileSystem())
        rows = self._open(table, version).to_pyarrow_dataset(filesystem=files)
        found = rows.to_table(columns=list(columns) if columns else None, filter=wanted)
        kinds = {field.name: field.type for field in found.schema}
        return [
            {name: _found(value, kinds[name]) for name, value in row.items()} for row in found.to_pylist()
        ]

    def files(self, table: str, version: int) -> list[Part]:
        """Return the files of a version, as the log tells of them."""
        opened = self._open(table, version)
        entries = pa.table(opened.get_add_actions(flatten=True)).to_pylist()
        found = [self._part(table, entry) for entry in sorted(entries, key=lambda entry: entry["path"])]
        if "deletionVectors" in (opened.protocol().reader_features or ()):
            kept = pa.table(opened.deletion_vectors().read_all()).column("selection_vector")
            hidden = sum(len(mask.values) - pc.sum(mask.values).as_py() for mask in kept)
            if hidden:
                held = sum(part.rows for part in found)
                raise DeletedRowsError(rows=held - hidden, held=held)
        return found

    def check_files(self, table: str, version: int) -> None:
        """Raise GoneError when the version, or a file of it, is gone."""
        self._open(table)  # whatever is wrong with all versions is not the version's
        try:
            entries = pa.table(self._open(table, version).get_add_actions(flatten=True)).to_pylist()
        except DeltaError:
            raise GoneError.version(table, version) from None
        for part in (self._part(table, entry) for entry in entries):
            if not Path(part.path).is_file():
                raise GoneError.file(part.path)

    def _part(self, table: str, entry: dict[str, Any]) -> Part:
        told = {name.partition(".")[::2]: value for name, value in entry.items()}
        return Part(
            path=str(self._warehouse / table / unquote(entry["path"])),
            rows=entry["num_records"],
            bytes=entry["size_bytes"],
            partition={column: str(value) for (kind, column), value in told.items() if kind == "partition"},
            nulls={
                column: value
                for (kind, column), value in told.items()
                if kind == "null_count" and value is not None
            },
        )

    def folder(self, table: str) -> Location:
        """Return the table's own folder."""
        return locate(str(self._warehouse / table))

    def publish(self, table: str, parts: Sequence[Part], on: int, replacing: Values | None, note: str) -> int:
        """Make files of the table's folder its rows in one commit, as `Edge` says."""
        opened = self._open(table, on)
        now = now_in_milliseconds()
        added = [
            AddAction(self._relative(table, part), part.bytes, part.partition, now, True, part.statistics)
            for part in parts
        ]
        gone = [
            RemoveAction(
                path=self._relative(table, part),
                size=part.bytes,
                partition_values=dict(part.partition),
                data_change=True,
                deletion_timestamp=now,
            )
            for part in self.files(table, on)
            if replacing is None
            or any(part.partition[column] in values for column, values in replacing.items())
        ]
        try:
            opened.create_write_transaction(
                [*added, *gone],
                "append",
                opened.schema(),
                partition_by=opened.metadata().partition_columns,
                commit_properties=CommitProperties({"userMetadata": note}, max_commit_retries=0),
            )
        except CommitFailedError:
            raise OutdatedError(table, on) from None
        return on + 1

    def _relative(self, table: str, part: Part) -> str:
        return Path(part.path).relative_to(self._warehouse / table).as_posix()

    def counts(self, table: str, version: int, column: str) -> list[tuple[dict[str, str], int, int]]:
        """Count rows by partition, as the log tells of them."""
        found: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for part in self.files(table, version):
            sums = found.setdefault(tuple(part.partition.items()), [0, 0])
            sums[0] += part.rows
            sums[1] += part.rows - part.nulls[column]
        return [(dict(of), rows, values) for of, (rows, values) in found.items()]

    def old_files(self, table: str, hours: int) -> list[Path]:
        """Return the files that no version younger than this needs, as Spark's VACUUM would remove them."""
        names = self._open(table).vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
        found = [self._warehouse / table / name for name in names]
        # In folders of partitions deltalake also lists Hadoop's hidden checksums, those of live files too.
        return [path for path in found if not path.name.startswith((".", "_"))]

    def _open(self, table: str, version: int | None = None) -> DeltaTable:
        return DeltaTable(self._warehouse / table, version=version)


def _given(value: Any, kind: pa.DataType) -> Any:
    """Return a value as pyarrow takes it, which would write 2.5 into a column of integers as 2."""
    if value is None:
        return None
    if pa.types.is_integer(kind) and not isinstance(value, Integral):
        raise TypeError(f"{value!r} is no integer")
    if pa.types.is_map(kind):
        return [(key, _given(entry, kind.item_type)) for key, entry in value.items()]
    if pa.types.is_list(kind):
        return [_given(entry, kind.value_type) for entry in value]
    if pa.types.is_struct(kind):
        return {field.name: _given(value[field.name], field.type) for field in kind}
    return value


def _found(value: Any, kind: pa.DataType) -> Any:
    """Return a value with dictionaries for maps."""
    if value is None:
        return None
    if pa.types.is_map(kind):
        return {key: _found(entry, kind.item_type) for key, entry in value}
    if pa.types.is_list(kind):
        return [_found(entry, kind.value_type) for entry in value]
    if pa.types.is_struct(kind):
        return {field.name: _found(value[field.name], field.type) for field in kind}
    return value
