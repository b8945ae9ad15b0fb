"""Buckets of any size in bounded memory: one that is too large is split by its next hash bits, on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from sequoia.buckets.blobs import take
from sequoia.buckets.pieces import Range
from sequoia.splitmix64 import Unsigned

# Of events that is some 400 MB with all that is made of them on the way.
LARGEST = 4_000_000
PARTS = 16


def bounded(
    tables: Iterable[pa.Table],
    span: Range,
    hash_of: Callable[[pa.Table], Unsigned],
    *,
    largest: int = LARGEST,
) -> Iterator[tuple[Range, pa.Table]]:
    """Yield the rows of a range of hashes, in ranges of not many more rows than `largest`, in order.

    Rows of one hash stay together, however many they are.
    """
    waiting: list[pa.Table] = []
    rows = iter(tables)
    for table in rows:
        waiting.append(table)
        if sum(map(len, waiting)) > largest and span.first < span.last:
            yield from _split(chain(waiting, rows), span, hash_of, largest)
            return
    if waiting:
        yield span, pa.concat_tables(waiting)


def _split(
    tables: Iterable[pa.Table], span: Range, hash_of: Callable[[pa.Table], Unsigned], largest: int
) -> Iterator[tuple[Range, pa.Table]]:
    narrower = _parts(span)
    firsts = np.array([part.first for part in narrower], dtype=np.uint64)
    with TemporaryDirectory(prefix="sequoia-bucket-", dir=_scratch()) as folder:
        files = [Path(folder) / str(number) for number in range(len(narrower))]
        with ExitStack() as opened:
            streams: dict[int, ipc.RecordBatchStreamWriter] = {}
            for table in tables:
                places = np.searchsorted(firsts, hash_of(table), side="right") - 1
                for number in np.unique(places).tolist():
                    if number not in streams:
                        file = opened.enter_context(pa.OSFile(str(files[number]), "wb"))
                        streams[number] = opened.enter_context(ipc.new_stream(file, table.schema))
                    streams[number].write(take(table, np.flatnonzero(places == number)))
        for number, part in enumerate(narrower):
            if number in streams:
                with pa.memory_map(str(files[number])) as mapped:
                    yield from bounded(_tables(mapped), part, hash_of, largest=largest)


def _scratch() -> str | None:
    """Return where Spark has its workers spill, None for the system's folder of temporary files."""
    folders = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
    return next((folder for folder in folders if os.access(folder, os.W_OK)), None)


def _tables(file: pa.NativeFile) -> Iterator[pa.Table]:
    for batch in ipc.open_stream(file):
        yield pa.Table.from_batches([batch])


def _parts(span: Range) -> list[Range]:
    count = min(PARTS, span.last - span.first + 1)
    bounds = [span.first + (span.last - span.first + 1) * number // count for number in range(count + 1)]
    return [Range(first=first, last=after - 1) for first, after in pairwise(bounds)]
