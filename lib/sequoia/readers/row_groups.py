"""Row groups of a pinned snapshot, what is read at once, and the readers behind one interface."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import astuple, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.local_files import local_copy
from sequoia.storage import locate
from sequoia.tables.snapshot_file import DataFile

Tables = Generator[pa.Table, None, None]
WORKERS = 2  # threads that read: decompressing lets go of Python's lock
AHEAD = 4  # row groups that are read before they are asked for


@dataclass(frozen=True)
class RowGroup:
    """A row group of a file: the file as its snapshot names it, its number there, and its rows."""

    path: str
    number: int
    rows: int


class Reader(Protocol):
    """Reads row groups in the order asked for, some of them ahead."""

    def __call__(self, groups: Sequence[RowGroup], wanted: Iterator[int], columns: Sequence[str]) -> Tables:
        """Yield a table for every number of a group that is wanted; closing the iterator ends its threads."""
        ...


def find_row_groups(files: Sequence[DataFile]) -> list[RowGroup]:
    """Read the footers of a snapshot's files; raises RuntimeError when they do not hold the log's rows."""
    found = []
    for file in files:
        footer = pq.read_metadata(local_copy(locate(file.path)))
        if footer.num_rows != file.rows:
            raise RuntimeError(
                f"{file.path} has {footer.num_rows} rows, the table's log promises {file.rows}"
            )
        rows = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
        found += [RowGroup(file.path, number, count) for number, count in enumerate(rows)]
    return found


def told(groups: Sequence[RowGroup]) -> list[Any]:
    """Return plain values, for other ranks; `RowGroup(*values)` is a group again."""
    return [astuple(group) for group in groups]


def mark_of(groups: Sequence[RowGroup]) -> int:
    """Return a number of the files' names and their groups: with another one an epoch has another order."""
    return crc32(json.dumps([[Path(one.path).name, one.number, one.rows] for one in groups]).encode())


def choose_reader(name: str) -> Reader:
    """Return the reader `petastorm` or `pyarrow`: imported here, since the other one may not be installed."""
    reader: Reader = import_module(f"sequoia.readers.{name}_reader").read_row_groups
    return reader
