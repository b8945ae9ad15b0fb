"""A pinned table version as a list of files with row counts: what Petastorm may read and MLflow records.

A Delta folder also holds files that are no longer part of the table, and deletion vectors or column mapping
make plain Parquet readers see rows or names that are not there. So the list comes from the log, both are
refused, and the rows of the files must add up to the rows Delta itself counts.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlparse

import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from sequoia.errors import UserError
from sequoia.tables.contracts import contract
from sequoia.tables.snapshot_file import DataFile, Snapshot
from sequoia.tables.store import Tables


def take_snapshot(tables: Tables, table: str) -> Snapshot:
    """Pin the newest version of a table and list its files with row counts.

    Files that are no local paths (a catalog on cloud storage) are copied below the workspace, once each.
    Raises UserError for deletion vectors, column mapping, or files that hold more or fewer rows than the
    table. The driver holds one entry per file, as any Delta query does.
    """
    frame = tables.read(table)
    version = tables.reads[table]
    _refuse_unsafe(tables.properties(table), tables.identifier(table))
    uris = sorted(frame.inputFiles())
    paths = [path for path in map(_local_path, uris) if path is not None]
    if len(paths) < len(uris):
        folder = tables.export_folder / f"{table}-{version}"
        paths = _export(frame, folder, contract(table).partitions)
    found = tuple(DataFile(path=path, rows=pq.read_metadata(path).num_rows) for path in paths)
    pinned = Snapshot(table=table, version=version, files=found)
    counted = frame.count()
    if pinned.rows != counted:
        raise UserError(
            f"{tables.identifier(table)} version {version} has {counted} rows but its files hold "
            f"{pinned.rows}: it has deletion vectors; run REORG TABLE ... APPLY (PURGE) and try again"
        )
    return pinned


def _local_path(uri: str) -> str | None:
    parts = urlparse(uri)
    if parts.scheme in ("", "file"):
        return unquote(parts.path)
    return f"/dbfs{unquote(parts.path)}" if parts.scheme == "dbfs" else None


def _export(frame: DataFrame, folder: Path, partitions: tuple[str, ...]) -> list[str]:
    """Write the rows as plain Parquet, one file per partition and in the table's order; return the files."""
    if not (folder / "_SUCCESS").is_file():
        arranged = frame.repartition(*partitions) if partitions else frame
        arranged.write.mode("overwrite").partitionBy(*partitions).parquet(str(folder))
    return sorted(str(path) for path in folder.rglob("*.parquet"))


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
