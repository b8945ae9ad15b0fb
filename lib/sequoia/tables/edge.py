"""What writes and reads Delta tables: Spark, or on this machine's own disks the package deltalake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pyspark.sql.types import StructType

from sequoia.storage import Location
from sequoia.tables.contracts import Contract
from sequoia.tables.parts import Part

Row = Mapping[str, Any]
Values = Mapping[str, Sequence[str]]  # of some columns, the values that are meant


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a table says of itself: Delta's own id of it, its properties, its columns."""

    id: str
    properties: dict[str, str]
    columns: StructType


class DeletedRowsError(Exception):
    """Files hold rows that the table has no more: a deletion vector hides them from Delta's readers alone."""

    def __init__(self, *, rows: int, held: int) -> None:
        super().__init__(f"{rows} rows, {held} in its files")
        self.rows, self.held = rows, held


class Edge(Protocol):
    """One way to the tables of a warehouse; `note` is kept with a commit."""

    def create(self, terms: Contract) -> None:
        """Make an empty table with its constraints in one commit; leave one that is there."""

    def facts(self, table: str) -> Facts:
        """Read the metadata of the newest version."""

    def history(self, table: str) -> list[dict[str, Any]]:
        """Return the commits that are still known, newest first.

        Of each version, operation, operationParameters and userMetadata.
        """

    def rows(
        self, table: str, version: int, columns: Sequence[str] | None, where: Values
    ) -> list[dict[str, Any]]:
        """Return the rows at a version whose columns hold one of the values asked for; times are in UTC."""

    def write_rows(
        self, table: str, rows: Sequence[Row], mode: Literal["append", "overwrite"], note: str
    ) -> None:
        """Add rows of all columns, or replace all rows by them, in one commit; constraints are checked."""

    def folder(self, table: str) -> Location:
        """Return where tasks write files for `publish`."""

    def publish(self, table: str, parts: Sequence[Part], on: int, replacing: Values | None, note: str) -> int:
        """Make files in its `folder` the table's rows in one commit on this version; return the new one.

        replacing: of a partition column the values whose rows they take the place of; None: of all rows.
        Raises OutdatedError when another writer was first.
        """

    def files(self, table: str, version: int) -> list[Part]:
        """Return the files of a version, or copies where only the catalog may open them.

        Without counts where the log is not read. Raises DeletedRowsError where they hold more rows than the
        table.
        """

    def check_files(self, table: str, version: int) -> None:
        """Raise an error that `sequoia.tables.gone` knows when the version, or a file of it, is gone."""

    def counts(self, table: str, version: int, column: str) -> list[tuple[dict[str, str], int, int]]:
        """Return of each partition its values, its rows, and those with a value in the column."""

    def old_files(self, table: str, hours: int) -> list[Path] | None:
        """Return the files that no version younger than this needs; None where only VACUUM can tell."""
