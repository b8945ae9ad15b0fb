"""The accounts: of every file, lines read = kept + quarantined + duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequoia.ingest.settings import Format

if TYPE_CHECKING:
    from sequoia.ingest.bronze import Held
    from sequoia.ingest.files.inputs import Input


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a file's good lines on the way to silver: how many came there, and how many are kept."""

    good: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class Account:
    """One file's row of the files table."""

    source: str
    format: Format
    bytes: int
    fingerprint: str
    lines: int
    kept: int
    quarantined: int
    duplicates: int
    events_version: int
    products_version: int

    @property
    def versions(self) -> dict[str, int]:
        """Return the versions of the bronze tables that the account was made from."""
        return {"events": self.events_version, "products": self.products_version}

    def summary(self) -> dict[str, str | int]:
        """Return what the diary keeps of a file: the files table of an older ingest may be vacuumed."""
        return {
            "name": self.source,
            "format": self.format,
            "bytes": self.bytes,
            "fingerprint": self.fingerprint,
            "lines": self.lines,
            "kept": self.kept,
            "quarantined": self.quarantined,
            "duplicates": self.duplicates,
        }


def account(entry: Input, lines: Held | None, fate: Fate | None, versions: Mapping[str, int]) -> Account:
    """Put one file's counts together; RuntimeError with the numbers when they do not add up.

    lines: what bronze holds of the file, None for nothing (a Parquet file of no rows); fate: as counted where
    duplicates are found, None for nothing; versions: of the bronze tables.
    """
    source = entry.file.source
    read, bad = (lines.lines, lines.bad) if lines else (0, 0)
    good, kept = (fate.good, fate.kept) if fate else (0, 0)
    if read != bad + good or kept > good:
        raise RuntimeError(
            f"the accounts of {source} do not add up: lines {read}, quarantined {bad}, compared {good}, "
            f"kept {kept}"
        )
    return Account(
        source=source,
        format=entry.form,
        bytes=entry.file.bytes,
        fingerprint=entry.fingerprint,
        lines=read,
        kept=kept,
        quarantined=bad,
        duplicates=good - kept,
        events_version=versions["events"],
        products_version=versions["products"],
    )
