"""The accounts: of every file, lines read = kept + quarantined + duplicates."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.ingest.find import RawFile
from sequoia.ingest.settings import Format


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


def count_lines(bronze: DataFrame) -> DataFrame:
    """Count per source what was read: rows, the last line number, and quarantined rows."""
    return bronze.groupBy("source").agg(
        F.count(F.lit(1)).alias("rows"), F.max("line").alias("last"), F.count("reason").alias("quarantined")
    )


def count_copies(ranked: DataFrame) -> DataFrame:
    """Count per source what became of good lines: kept ones and duplicates."""
    first = F.col("copy") == 1
    return ranked.groupBy("source").agg(
        F.count_if(first).alias("kept"), F.count_if(~first).alias("duplicates")
    )


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts by source: what was read, and what became of it, at these versions of the bronze tables."""

    read: dict[str, dict[str, int]]
    kept: dict[str, dict[str, int]]
    versions: dict[str, int]


def account(file: RawFile, form: Format, fingerprint: str, tally: Tally) -> Account:
    """Put one file's counts together; RuntimeError with the numbers when they do not add up.

    A source without rows (a Parquet file of none) has an account of zeros.
    """
    lines = tally.read.get(file.source, {"rows": 0, "last": 0, "quarantined": 0})
    fate = tally.kept.get(file.source, {"kept": 0, "duplicates": 0})
    found = Account(
        source=file.source,
        format=form,
        bytes=file.bytes,
        fingerprint=fingerprint,
        lines=lines["last"],
        kept=fate["kept"],
        quarantined=lines["quarantined"],
        duplicates=fate["duplicates"],
        events_version=tally.versions["events"],
        products_version=tally.versions["products"],
    )
    if not found.lines == lines["rows"] == found.kept + found.quarantined + found.duplicates:
        raise RuntimeError(
            f"the accounts of {file.source} do not add up: last line {found.lines}, rows {lines['rows']}, "
            f"kept {found.kept} + quarantined {found.quarantined} + duplicates {found.duplicates}"
        )
    return found
