"""Parquet files by row groups: which of them a task reads, and their rows in batches that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.errors import UserError
from sequoia.ingest.files.find import RawFile
from sequoia.ingest.files.gunzip import DamagedError
from sequoia.ingest.files.recognise import check_header
from sequoia.ingest.settings import EventColumns
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


def check_columns(file: RawFile, columns: EventColumns) -> None:
    """Look at a file's columns; UserError when it is damaged, or has not those that are configured."""
    try:
        with open_rows(file) as rows:
            schema = rows.schema
    except DamagedError as error:
        raise UserError(
            f"{file.path} is no Parquet file, or damaged ({error}): fetch it again, or take it out of the "
            "input"
        ) from None
    if file.table is None:  # a Delta table's files may have fewer columns than the table
        check_header(file.path, [*schema.names, *partition_of(file)], columns)
    for name in {columns.user, columns.item, columns.time, columns.rating} & {*schema.names}:
        if not _is_plain(schema.field(name).type, is_rating=name == columns.rating):
            raise UserError(
                f"{file.path} has in {name} values of type {schema.field(name).type}: set ingest.columns to "
                "columns of texts, numbers or times"
            )


def _is_plain(kind: pa.DataType, *, is_rating: bool) -> bool:
    """Say whether values of a type are texts, numbers or, but for ratings, times."""
    odd = pa.types.is_nested(kind) or pa.types.is_fixed_size_binary(kind)
    odd = odd or pa.types.is_time(kind) or pa.types.is_duration(kind)
    return not (odd or (is_rating and pa.types.is_temporal(kind)))


def partition_of(file: RawFile) -> dict[str, str | None]:
    """Return the values of partition columns, which stand in the names of folders, not in the file."""
    folders = relative_to(locate(file.path), locate(file.table or file.root)).split("/")[:-1]
    pairs = [folder.split("=", 1) for folder in folders if "=" in folder]
    return {unquote(name): None if value == NOTHING else unquote(value) for name, value in pairs}
