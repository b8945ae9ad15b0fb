"""A long gzip stream, which can only be read from its start: unzipped once, to files that many tasks read.

The stream goes by in pieces, so memory is bounded whatever its length and that of its lines. The files lie in
the run's scratch folder, compressed again in a way that costs little, by a second thread.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.ingest.files.blocks import BLOCK
from sequoia.ingest.files.chunks import LARGEST, Chunk
from sequoia.ingest.files.gunzip import UNZIPPED, DamagedError, pieces
from sequoia.storage import locate, uri

LONG = 16 << 20  # bytes of gzip: less is unzipped by the one task that reads it


def unzip_long(spark: SparkSession, files: Sequence[Chunk], folder: str) -> list[Chunk]:
    """Return files, long zipped ones as chunks with their line numbers; several are unzipped side by side."""
    long = [file for file in files if file.file.path.endswith(".gz") and file.bytes > LONG]
    done = map_tasks(spark, long, partial(_unzip, folder=folder))
    reports = {file.file.source: report for file, report in zip(long, done, strict=True)}
    chunks: list[Chunk] = []
    for file in files:
        report = reports.get(file.file.source)
        chunks += _chunks(file, report) if report else [file]
    return chunks


def _chunks(file: Chunk, report: Report) -> list[Chunk]:
    if report["damaged"]:
        return [file]  # whoever reads it says where it is damaged
    chunks: list[Chunk] = []
    first = 1
    for part in report["parts"]:
        start = not chunks
        size = part["bytes"]
        chunks.append(replace(file, unzipped=part["path"], size=size, first_line=first, at_start=start))
        first += part["lines"] - (start and file.header is not None)
    return chunks


def _unzip(file: Chunk, folder: str) -> Report:
    """Write the lines of a file to files of about LARGEST bytes before compression."""
    parts = _Parts(folder)
    with ThreadPoolExecutor(1) as pool:
        written: Future[None] | None = None
        try:
            for piece in pieces(file.file.path, BLOCK):
                if written:
                    written.result()  # one piece is unzipped while the one before it is written
                written = pool.submit(parts.write, piece)
        except DamagedError:
            return {"damaged": True, "parts": []}
        finally:
            pool.submit(parts.close).result()
        if written:
            written.result()
    return {"damaged": False, "parts": parts.told()}


class _Parts:
    """Files of about LARGEST bytes, each of whole lines."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._parts: list[_Part] = []

    def write(self, piece: bytes) -> None:
        rest = piece
        if self._parts and self._parts[-1].bytes >= LARGEST and b"\n" in piece:
            end, _, rest = piece.partition(b"\n")
            self._parts[-1].write(end + b"\n")
            self._parts[-1].close()
            self._parts.append(_Part(self._folder))
        self._parts = self._parts or [_Part(self._folder)]
        self._parts[-1].write(rest)

    def close(self) -> None:
        if self._parts:
            self._parts[-1].close()

    def told(self) -> list[Report]:
        return [part.told() for part in self._parts]


class _Part:
    """A file of whole lines."""

    def __init__(self, folder: str) -> None:
        self._place = locate(folder) / f"{uuid.uuid4().hex}{UNZIPPED}"
        self._file = self._place.open("wb")
        self._stream: Any = pa.CompressedOutputStream(pa.PythonFile(self._file, "w"), "lz4")
        self.bytes = self._lines = 0
        self._last = b"\n"

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self.bytes += len(data)
        self._lines += data.count(b"\n")
        self._last = data[-1:] or self._last

    def close(self) -> None:
        self._stream.close()
        self._file.close()

    def told(self) -> Report:
        lines = self._lines + (self._last != b"\n")
        return {"path": uri(self._place), "bytes": self.bytes, "lines": lines}
