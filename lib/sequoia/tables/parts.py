"""Parquet files that tasks write: of no table until a commit names them, so a task may run twice or die."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate, chain
from typing import IO, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.storage import Location, locate, open_bytes, uri
from sequoia.tables.constraints import Condition, check_rows

ROW_GROUP = 1 << 26  # rows: a part is one, so that a column has one dictionary
DICTIONARY = 1 << 30  # bytes: whatever comes as a dictionary stays one


class OutdatedError(Exception):
    """Another writer has committed to the table since this version was read."""

    def __init__(self, table: str, version: int) -> None:
        super().__init__(f"{table} has a version after {version}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One such file: where it is, what is in it, and the partition of the table it is for.

    nulls: of some columns, the number of rows without a value.
    """

    path: str
    rows: int
    bytes: int
    partition: dict[str, str] = field(default_factory=dict)
    nulls: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @property
    def statistics(self) -> str:
        """Return what Delta's log keeps of the file."""
        return json.dumps({"numRecords": self.rows, "nullCount": self.nulls})


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where files for a table go, a path or URI, and the columns and constraints of its contract."""

    folder: str
    columns: pa.Schema
    conditions: dict[str, Condition] = field(default_factory=dict)


def write_part(
    rows: pa.Table,
    target: Target,
    *,
    name: str = "part",
    partition: dict[str, str] | None = None,
    dictionaries: Sequence[str] = (),
    count_nulls: Sequence[str] = (),
) -> Part:
    """Write rows to a file of a new name for a table, below folders of its partition if any.

    dictionaries: columns of few values besides those that are dictionaries already; all others are plain, as
    looking for repetitions in ids costs more than it saves. Raises ValueError for rows that the contract has
    no room for.
    """
    coded = [field.name for field in rows.schema if pa.types.is_dictionary(field.type)]
    part = write_groups([rows], target, name=name, partition=partition, dictionaries=[*coded, *dictionaries])
    return replace(part, nulls={column: rows.column(column).null_count for column in count_nulls})


def write_groups(
    groups: Iterable[pa.Table],
    target: Target,
    *,
    name: str = "part",
    partition: dict[str, str] | None = None,
    dictionaries: Sequence[str] = (),
) -> Part:
    """Write a file as `write_part` does, a row group for each table of one schema; there is one at least."""
    place = _folder(target.folder, partition or {}) / f"{name}-{uuid.uuid4().hex}.zstd.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    tables = (_fitted(group, target, partition or {}) for group in groups)
    first = next(tables)
    rows = 0
    with place.open("wb") as file, _writer(file, first.schema, dictionaries) as writer:
        for table in chain([first], tables):
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += len(table)
    return Part(path=uri(place), rows=rows, bytes=place.stat().st_size, partition=partition or {})


def _fitted(rows: pa.Table, target: Target, partition: dict[str, str]) -> pa.Table:
    """Return the columns in the contract's types, those of its partition apart, checked."""
    fitted = {}
    for wanted in target.columns:
        if wanted.name not in rows.column_names:
            continue
        column = rows.column(wanted.name)
        if column.null_count and not wanted.nullable:
            raise ValueError(f"{wanted.name} has {column.null_count} rows without a value")
        fitted[wanted.name] = column if pa.types.is_dictionary(column.type) else column.cast(wanted.type)
    table = pa.table(fitted)
    check_rows(table, partition, target.conditions)
    return table


def _writer(file: IO[bytes], schema: pa.Schema, dictionaries: Sequence[str]) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[*dictionaries] or False,
        dictionary_pagesize_limit=DICTIONARY,
        write_statistics=False,
        store_schema=False,
        use_compliant_nested_type=True,
    )


def _folder(folder: str, partition: dict[str, str]) -> Location:
    place = locate(folder)
    for column, value in partition.items():
        place = place / f"{column}={quote(value, safe='')}"
    return place


def read_columns(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read columns of a Parquet file, all by default, on one thread."""
    with open_bytes(locate(path)) as file:
        return pq.ParquetFile(file).read(columns=columns, use_threads=False)


def read_groups(path: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield columns of a Parquet file, all by default, a row group at a time."""
    with open_bytes(locate(path)) as file:
        opened = pq.ParquetFile(file)
        for group in range(opened.num_row_groups):
            yield opened.read_row_group(group, columns=columns, use_threads=False)


def read_rows(path: str, columns: Sequence[str], first: int, last: int) -> pa.Table:
    """Read columns of the rows from the first to before the last, of the row groups that hold them."""
    with open_bytes(locate(path)) as file:
        opened = pq.ParquetFile(file)
        sizes = [opened.metadata.row_group(at).num_rows for at in range(opened.num_row_groups)]
        starts = [0, *accumulate(sizes)]
        held = [at for at, size in enumerate(sizes) if starts[at] < last and first < starts[at] + size]
        if not held:
            return opened.schema_arrow.empty_table().select(list(columns))
        rows = opened.read_row_groups(held, columns=list(columns), use_threads=False)
        return rows.slice(first - starts[held[0]], last - first)


def rows_of_file(path: str) -> int:
    """Return the rows of a Parquet file, as its footer tells."""
    with open_bytes(locate(path)) as file:
        return int(pq.read_metadata(file).num_rows)


def now_in_milliseconds() -> int:
    """Return the time as Delta's log keeps it."""
    return int(time.time() * 1000)
