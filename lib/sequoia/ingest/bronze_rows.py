"""A chunk's rows for the bronze tables, in order: the values of each, or what is wrong with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa

from sequoia.buckets.shuffle import Report
from sequoia.ingest.files.blocks import BLOCK, Block, blocks
from sequoia.ingest.files.chunks import Chunk
from sequoia.ingest.files.gunzip import DamagedError
from sequoia.ingest.files.row_groups import open_rows, partition_of
from sequoia.ingest.formats.event_tables import event_rows
from sequoia.ingest.formats.grammars import grammar
from sequoia.ingest.formats.parse import parse
from sequoia.ingest.settings import IngestSettings
from sequoia.tables.parts import Part, Target, write_part

AHEAD = 2  # blocks for each thread
PART = 128 << 20  # bytes of Arrow rows: more go to the next file
FEW_VALUES = ("time", "rating", "verified", "votes", "reason")


def rows_of(chunk: Chunk, settings: IngestSettings, *, size: int = BLOCK) -> Iterator[pa.Table]:
    """Yield a chunk's bronze rows in order; its threads read blocks of lines while others are unzipped.

    Raises DamagedError at a damaged file, behind the rows before the damage.
    """
    if chunk.file.is_text:
        found = grammar(chunk.form, settings, name=chunk.file.name, header=chunk.header)
        tables = _ahead(partial(parse, found), _below_header(chunk, settings, size), chunk.threads)
        yield from _numbered(tables, chunk, chunk.first_line)
        return
    with open_rows(chunk.file, chunk.span) as rows:
        yield from _numbered(event_rows(rows, partition_of(chunk.file), settings), chunk, rows.before + 1)


def _numbered(tables: Iterator[pa.Table], chunk: Chunk, first: int) -> Iterator[pa.Table]:
    for table in tables:
        numbered = table.append_column("line", pa.array(np.arange(first, first + len(table))))
        form = pa.DictionaryArray.from_arrays(np.zeros(len(table), dtype=np.int8), [chunk.form])
        yield numbered.append_column("format", form)
        first += len(table)


def _ahead(read: Callable[[Block], pa.Table], found: Iterator[Block], threads: int) -> Iterator[pa.Table]:
    """Yield the rows of blocks in order; damage comes behind the rows before it."""
    if threads == 1:
        yield from map(read, found)
        return
    damage = None
    waiting: deque[Future[pa.Table]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        while True:
            try:
                waiting.append(pool.submit(read, next(found)))
            except StopIteration:
                break
            except DamagedError as error:
                damage = error
                break
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
    if damage:
        raise damage


def _below_header(chunk: Chunk, settings: IngestSettings, size: int) -> Iterator[Block]:
    found = blocks(
        chunk.file.path,
        max_line_bytes=settings.max_line_bytes,
        size=size,
        span=chunk.span,
        at_start=chunk.at_start,
    )
    if chunk.header is not None and chunk.at_start:
        below = next(found).data.partition(b"\n")[2]
        if below:
            yield Block(data=below)
    for block in found:
        # The cut line stays out of the counts of a refused file: it is not a line yet.
        if not (block.fault == "damaged gzip" and settings.on_damage == "refuse"):
            yield block


def write_rows(chunk: Chunk, settings: IngestSettings, target: Target) -> Report:
    """Write a chunk's rows to files of a bronze table; report them, lines, bad lines, and damage if any."""
    partition = {"source": chunk.file.source, "fingerprint": chunk.fingerprint}
    writing: list[Future[Part]] = []
    damage = None
    waiting: list[pa.Table] = []

    def write(table: pa.Table) -> Part:
        few = [name for name in FEW_VALUES if name in table.column_names]
        return write_part(table, target, partition=partition, dictionaries=few, count_nulls=["reason"])

    with ThreadPoolExecutor(1) as pool:

        def flush() -> None:
            if writing:
                writing[-1].result()  # one waits in memory while the one before it is written
            writing.append(pool.submit(write, pa.concat_tables(waiting)))
            waiting.clear()

        try:
            for rows in rows_of(chunk, settings):
                waiting.append(rows)
                if sum(table.nbytes for table in waiting) >= PART:
                    flush()
        except DamagedError as error:
            damage = str(error)
        if waiting:
            flush()
    parts = [part.result() for part in writing]
    rows = sum(part.rows for part in parts)
    return {
        "source": chunk.file.source,
        "parts": [part.to_json() for part in parts],
        "lines": rows,
        "bad": rows - sum(part.nulls["reason"] for part in parts),
        "damage": damage,
    }
