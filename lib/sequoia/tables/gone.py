"""What says that a table, a version of it or its files exist no more, whoever says it."""

from __future__ import annotations

import re
from pathlib import Path

# Names of Delta's and Spark's errors where they have one, on Databricks and elsewhere, else their words;
# Arrow's; and Python's, as a task tells it.
FILES = r"FILE_NOT_(EXIST|FOUND)|FileNotFound(Exception|Error)|File .+ does not exist|Failed to open local"
VERSION = (
    r"CANNOT_FIND_VERSION|VERSION_NOT_FOUND|VERSION_NOT_CONTIGUOUS|TRUNCATED_TRANSACTION_LOG|"
    r"STATE_RECOVER_ERROR|TIME_TRAVEL_BEYOND|Cannot time travel Delta table"
)
TABLE = r"TABLE_OR_VIEW_NOT_FOUND|TABLE_NOT_FOUND|PATH_DOES_NOT_EXIST|PATH_NOT_FOUND|table .+ does not exist"
REASONS = {
    VERSION: "gone: the version is no longer in the table's history",
    FILES: "gone: its files were removed, as VACUUM does with versions that are no longer current",
    TABLE: "gone: the table does not exist any more",
}


class GoneError(Exception):
    """Files of a table that are not there, called as Spark calls them."""

    @classmethod
    def table(cls, table: str) -> GoneError:
        """Return what says that a table does not exist."""
        return cls(f"[TABLE_NOT_FOUND] table {table} does not exist")

    @classmethod
    def version(cls, table: str, version: int) -> GoneError:
        """Return what says that a version is not in the log."""
        return cls(f"[VERSION_NOT_FOUND] {table} has no version {version}")

    @classmethod
    def file(cls, path: str | Path) -> GoneError:
        """Return what says that a file of a version was removed."""
        return cls(f"[FILE_NOT_FOUND] {path}")


def reason_gone(error: Exception) -> str | None:
    """Return a sentence when the error says that something does not exist any more, else None."""
    told = str(error)
    return next((reason for pattern, reason in REASONS.items() if re.search(pattern, told)), None)
