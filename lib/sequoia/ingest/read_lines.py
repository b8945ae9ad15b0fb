"""Line files to bronze rows, one task per file: gzip does not split, and Arrow reads faster than Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from sequoia.errors import UserError
from sequoia.ingest.blocks import BLOCK, Block, blocks
from sequoia.ingest.find import RawFile
from sequoia.ingest.grammars import grammar
from sequoia.ingest.gunzip import DamagedError
from sequoia.ingest.parse import parse
from sequoia.ingest.settings import Format, IngestSettings


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file to read: its format, and the header of a CSV log."""

    file: RawFile
    form: Format
    header: list[str] | None


def read_lines(
    spark: SparkSession, tasks: list[Task], settings: IngestSettings, schema: StructType
) -> DataFrame:
    """Return the bronze rows of line files in the contract's schema; the driver holds one entry per file."""
    if not tasks:
        return spark.createDataFrame([], schema)
    largest_first = sorted(tasks, key=lambda task: -task.file.bytes)
    names = schema.names

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for table in rows_of(largest_first[number], settings):
                    yield from table.select(
                        [name for name in names if name in table.column_names]
                    ).to_batches()

    return spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(read, schema)


def rows_of(task: Task, settings: IngestSettings, *, size: int = BLOCK) -> Iterator[pa.Table]:
    """Yield a file's bronze rows in order.

    Raises UserError at a damaged gzip, unless `on_damage` is keep: then its cut line is quarantined.
    """
    found = grammar(task.form, settings, name=task.file.name, header=task.header)
    rows = bad = 0
    try:
        for block in _below_header(task, settings, size):
            for table in parse(found, block):
                count = len(table)
                bad += count - table.column("reason").null_count
                yield _placed(table, task, first=rows + 1)
                rows += count
    except DamagedError as damage:
        if settings.on_damage == "refuse":
            raise UserError(
                f"{task.file.path} is damaged after line {rows} ({rows - bad} good, {bad} quarantined before "
                f"it; {damage}): fetch it again, or set ingest.on_damage=keep to use what is before it"
            ) from None


def _below_header(task: Task, settings: IngestSettings, size: int) -> Iterator[Block]:
    found = blocks(task.file.path, max_line_bytes=settings.max_line_bytes, size=size)
    if task.header is not None:
        below = next(found).data.partition(b"\n")[2]
        if below:
            yield Block(data=below)
    for block in found:
        # The cut line stays out of the counts of a refused file: it is not a line yet.
        if not (block.fault == "damaged gzip" and settings.on_damage == "refuse"):
            yield block


def _placed(table: pa.Table, task: Task, *, first: int) -> pa.Table:
    count = len(table)
    table = table.append_column("source", pa.repeat(task.file.source, count))
    table = table.append_column("line", pa.array(range(first, first + count), pa.int64()))
    return table.append_column("format", pa.repeat(task.form, count))
