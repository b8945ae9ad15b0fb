"""A pinned table version as a list of files with row counts: what Petastorm may read and MLflow records.

A Delta folder also holds files that are no longer part of the table, and deletion vectors or column mapping
make plain Parquet readers see rows or names that are not there. So the list comes from the log, both are
refused, and the rows of the files must add up to the rows Delta itself counts.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from sequoia.errors import UserError
from sequoia.storage import Location, entries, from_encoded, is_mounted, spark_uri, uri
from sequoia.tables.contracts import contract
from sequoia.tables.snapshot_file import DataFile, Snapshot
from sequoia.tables.store import Tables


def take_snapshot(tables: Tables, table: str) -> Snapshot:
    """Pin the newest version of a table and list its files with row counts.

    Files that only the catalog may open (on cloud storage) are copied below the workspace, once each.
    Raises UserError for deletion vectors, column mapping, or files that hold more or fewer rows than the
    table. The driver holds one entry per file, as any Delta query does.
    """
    frame = tables.read(table)
    version = tables.reads[table]
    _refuse_unsafe(tables.properties(table), tables.identifier(table))
    uris = sorted(frame.inputFiles())
    if tables.in_catalog and not all(map(is_mounted, uris)):
        found = _export(frame, tables.export_folder / f"{table}-{version}", contract(table).partitions)
    else:
        found = [from_encoded(uri) for uri in uris]
    with ThreadPoolExecutor(max_workers=8) as pool:
        files = tuple(pool.map(_data_file, found))
    pinned = Snapshot(table=table, version=version, files=files)
    counted = frame.count()
    if pinned.rows != counted:
        raise UserError(
            f"{tables.identifier(table)} version {version} has {counted} rows but its files hold "
            f"{pinned.rows}: it has deletion vectors; run REORG TABLE ... APPLY (PURGE) and try again"
        )
    return pinned


def _data_file(file: Location) -> DataFile:
    with file.open("rb") as opened:
        return DataFile(path=uri(file), rows=pq.read_metadata(opened).num_rows)


def _export(frame: DataFrame, folder: Location, partitions: tuple[str, ...]) -> list[Location]:
    """Write the rows as plain Parquet, one file per partition and in the table's order; return the files."""
    if not (folder / "_SUCCESS").is_file():
        arranged = frame.repartition(*partitions) if partitions else frame
        arranged.write.mode("overwrite").partitionBy(*partitions).parquet(spark_uri(folder))
    return [entry.location for entry in entries(folder) if entry.relative.endswith(".parquet")]


def _refuse_unsafe(properties: dict[str, str], identifier: str) -> None:
    if properties.get("delta.enableDeletionVectors", "false") == "true":
        raise UserError(
            f"{identifier} allows deletion vectors, which Petastorm cannot see: set "
            "delta.enableDeletionVectors = false, run REORG TABLE ... APPLY (PURGE) and try again"
        )
    mode = properties.get("delta.columnMapping.mode", "none")
    if mode != "none":
        raise UserError(
            f"{identifier} has column mapping mode {mode}: rewrite it with mode none and try again"
        )
