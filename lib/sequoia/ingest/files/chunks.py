"""What one task reads: a file, or of a large one that is not zipped what starts in a part of it.

A gzip stream can only be read from its start. It is unzipped about as fast as four cores read its lines, so
one task with a few threads is as fast as several tasks, and nothing unzipped is written anywhere. Metadata
and Python literals gain less: Python itself reads them, one line at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.ingest.files.blocks import BLOCK
from sequoia.ingest.files.find import RawFile
from sequoia.ingest.files.gunzip import pieces
from sequoia.ingest.settings import Format

LARGEST = 64 << 20  # bytes
LONG = 16 << 20  # bytes of gzip: less is read by one thread
THREADS = 4
SMALLEST = 4 << 20  # less is not worth a task of its own


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Lines, or row groups, of one file.

    span: only those that start within these bytes; header: the first line's names in a CSV log; first_line:
    the number of the first one; at_start: that one is the file's first; threads: so many read the lines.
    """

    file: RawFile
    form: Format
    fingerprint: str
    header: list[str] | None = None
    span: tuple[int, int] | None = None
    first_line: int = 1
    at_start: bool = True
    threads: int = 1

    @property
    def bytes(self) -> int:
        """Return the bytes to read."""
        return self.file.bytes if self.span is None else self.span[1] - self.span[0]


def cut(files: Sequence[Chunk], at_once: int) -> list[Chunk]:
    """Cut whole files into chunks, so that so many tasks at once have work.

    Zipped files stay whole; those whose one reader would be at work when all others are done get threads.
    """
    total = sum(file.bytes for file in files)
    size = min(max(total // max(1, at_once) + 1, SMALLEST), LARGEST)
    long = max(LONG, total // (2 * max(1, at_once)))
    streams = sum(_is_zipped(file) and file.bytes > long for file in files)
    threads = max(1, min(at_once // max(1, streams), THREADS))
    return [
        chunk
        for file in files
        for chunk in (
            [replace(file, threads=threads if file.bytes > long else 1)]
            if _is_zipped(file)
            else _cut(file, size)
        )
    ]


def _is_zipped(file: Chunk) -> bool:
    return file.file.path.endswith(".gz")


def _cut(file: Chunk, size: int) -> Iterator[Chunk]:
    count = -(-file.bytes // size)
    if count <= 1:
        yield file
        return
    bounds = [file.bytes * number // count for number in range(count + 1)]
    for begin, end in itertools.pairwise(bounds):
        yield replace(file, span=(begin, end), at_start=begin == 0)


def with_line_numbers(spark: SparkSession, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Number the first line of each chunk, by counting those of cut files: a hundredth of reading them.

    Parquet files tell their rows themselves, to who opens them.
    """
    several = [chunk for chunk in chunks if _is_cut(chunk)]
    counts = iter([report["lines"] for report in map_tasks(spark, several, _count)])
    numbered: list[Chunk] = []
    before: dict[str, int] = {}
    for chunk in chunks:
        if not _is_cut(chunk):
            numbered.append(chunk)
            continue
        source = chunk.file.source
        numbered.append(replace(chunk, first_line=before.get(source, 1)))
        before[source] = (
            numbered[-1].first_line + next(counts) - (chunk.header is not None and chunk.at_start)
        )
    return numbered


def _is_cut(chunk: Chunk) -> bool:
    return chunk.span is not None and chunk.file.is_text


def _count(chunk: Chunk) -> Report:
    lines, last = 0, b"\n"
    for piece in pieces(chunk.file.path, BLOCK, chunk.span):
        lines += piece.count(b"\n")
        last = piece[-1:] or last
    return {"lines": lines + (last != b"\n")}
