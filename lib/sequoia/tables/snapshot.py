"""A pinned table version as a list of files with row counts: what Petastorm may read and MLflow records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sequoia.errors import UserError
from sequoia.tables.parts import Part, rows_of_file
from sequoia.tables.snapshot_file import DataFile, Snapshot
from sequoia.tables.store import Tables


def take_snapshot(tables: Tables, table: str) -> Snapshot:
    """Pin the newest version of a table and list its files with row counts.

    Raises UserError as `Tables.files` does, and where the files hold more or fewer rows than Delta counts.
    The driver holds one entry per file, as any Delta query does.
    """
    parts = sorted(tables.files(table), key=lambda part: part.path)
    version = tables.reads[table]
    with ThreadPoolExecutor(max_workers=8) as pool:
        files = tuple(pool.map(_data_file, parts))
    pinned = Snapshot(table=table, version=version, files=files)
    counted = sum(part.rows for part in parts) or tables.read(table, version=version).count()
    if pinned.rows != counted:
        raise UserError(
            f"{tables.identifier(table)} version {version} has {counted} rows but its files hold "
            f"{pinned.rows}: something else than Delta has changed them, write the table anew"
        )
    return pinned


def _data_file(part: Part) -> DataFile:
    return DataFile(path=part.path, rows=rows_of_file(part.path))
