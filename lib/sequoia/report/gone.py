"""What the report reads may be gone by now: a table dropped, its history cut, its old files vacuumed.

The report says so at that place and goes on with what the diary still knows. Every other failure stays one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from pyspark.sql import functions as F

from sequoia.road.stage import Context

T = TypeVar("T")

# Names of Delta's and Spark's errors where they have one, on Databricks and elsewhere, else their words; and
# Arrow's.
FILES = r"FILE_NOT_EXIST|FILE_NOT_FOUND|FileNotFoundException|File .+ does not exist|Failed to open local"
VERSION = r"CANNOT_FIND_VERSION|VERSION_NOT_FOUND|TRUNCATED_TRANSACTION_LOG|Cannot time travel Delta table"
TABLE = r"TABLE_OR_VIEW_NOT_FOUND|TABLE_NOT_FOUND|PATH_DOES_NOT_EXIST|PATH_NOT_FOUND|table .+ does not exist"
REASONS = {
    VERSION: "gone: the version is no longer in the table's history",
    FILES: "gone: its files were removed, as VACUUM does with versions that are no longer current",
    TABLE: "gone: the table does not exist any more",
}


@dataclass
class Reader:
    """Reads what may be gone, and keeps what was."""

    gone: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, reading: Callable[[], T]) -> T | None:
        """Return what a reading gives; None when what it reads is gone, with a note of the reason."""
        try:
            return reading()
        except Exception as error:
            reason = reason_gone(error)
            if reason is None:
                raise
            self.gone[name] = reason
            return None

    def touch(self, context: Context, versions: Mapping[str, int | None]) -> None:
        """Try whether these versions of tables can still be read; None is a version that nobody knows."""
        for table, version in versions.items():
            if version is not None:
                self.read(table, partial(open_files, context, table, version))


def open_files(context: Context, table: str, version: int) -> None:
    """Open every file of a version without reading its rows; raises when one is gone."""
    if not context.tables.exists(table):  # the log of a folder that was removed may still be in memory
        raise FileNotFoundError(f"table {table} does not exist")
    name = context.tables.identifier(table)
    rows = context.spark.sql(f"SELECT _metadata.file_size AS size FROM {name} VERSION AS OF {int(version)}")
    rows.agg(F.max("size")).collect()


def reason_gone(error: Exception) -> str | None:
    """Return a sentence when the error says that something does not exist any more, else None."""
    told = str(error)
    return next((reason for pattern, reason in REASONS.items() if re.search(pattern, told)), None)
