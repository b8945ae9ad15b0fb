"""The plain value objects of a snapshot, free of Spark so that training processes can use them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One Parquet file of a snapshot; `path` is an absolute path, or the URI of a remote file."""

    path: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A table at one version: files in the order of their paths.

    The fingerprint, where one was asked for, is that of the rows: other versions and files may share it.
    """

    table: str
    version: int
    files: tuple[DataFile, ...]
    fingerprint: str = ""

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return sum(file.rows for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Snapshot:
        """Rebuild from plain values."""
        files = tuple(DataFile(**file) for file in values["files"])
        return Snapshot(**{**values, "files": files})
