"""Parquet files by row groups: which of them a task reads, and their rows in batches that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.ingest.files.find import RawFile
from sequoia.ingest.files.gunzip import DamagedError
from sequoia.storage import locate, open_bytes, relative_to

NOTHING = "__HIVE_DEFAULT_PARTITION__"  # how a folder is called whose partition column is null


class Rows:
    """The row groups of an open file that start within some bytes of it, all by default."""

    def __init__(self, file: BinaryIO, span: tuple[int, int] | None = None) -> None:
        # The 96 bits that Spark writes for a time by default reach further than nanoseconds do.
        with _damage_told():
            self._file = pq.ParquetFile(file, coerce_int96_timestamp_unit="ms")
        about = self._file.metadata
        starts = [_start(about.row_group(group)) for group in range(about.num_row_groups)]
        self.groups = [
            group for group, start in enumerate(starts) if span is None or span[0] <= start < span[1]
        ]
        self.before = sum(about.row_group(group).num_rows for group in range(min(self.groups, default=0)))
        self.schema: pa.Schema = self._file.schema_arrow

    def batches(self, group: int, columns: Sequence[str], size: int) -> Iterator[pa.Table]:
        """Yield columns of a row group, so many rows at a time."""
        with _damage_told():
            found = self._file.iter_batches(size, row_groups=[group], columns=[*columns], use_threads=False)
            for batch in found:
                yield pa.Table.from_batches([batch])


def _start(group: pq.RowGroupMetaData) -> int:
    first = group.column(0)
    return int(min(filter(None, [first.dictionary_page_offset, first.data_page_offset])))


@contextmanager
def _damage_told() -> Iterator[None]:
    """Raise DamagedError for what Arrow cannot read; what the storage has to say passes through."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(" ".join(str(error).split())) from error


@contextmanager
def open_rows(file: RawFile, span: tuple[int, int] | None = None) -> Iterator[Rows]:
    """Open a Parquet file; DamagedError where it, or what is read of it, is none."""
    with open_bytes(locate(file.path)) as opened:
        yield Rows(opened, span)


def partition_of(file: RawFile) -> dict[str, str | None]:
    """Return the values of partition columns, which stand in the names of folders, not in the file."""
    folders = relative_to(locate(file.path), locate(file.table or file.root)).split("/")[:-1]
    pairs = [folder.split("=", 1) for folder in folders if "=" in folder]
    return {unquote(name): None if value == NOTHING else unquote(value) for name, value in pairs}
