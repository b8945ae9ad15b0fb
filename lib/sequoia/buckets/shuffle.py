"""One shuffle of Spark's with Arrow blobs for rows: some hundred values where there were millions.

The tasks are those of plain RDDs: nothing here is a query, and the first query of a session takes seconds.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from zipimport import zipimporter

import pyarrow as pa
from pyspark import SparkFiles
from pyspark.sql import SparkSession

from sequoia.buckets.blobs import unpack

Task = TypeVar("Task")
Report = dict[str, Any]
Blob = tuple[int, bytes]  # bucket and Arrow stream, or where it lies


def map_tasks(spark: SparkSession, tasks: Sequence[Task], work: Callable[[Task], Report]) -> list[Report]:
    """Run work on every task, each a task of Spark's, and return the reports in the order of the tasks.

    A report is plain JSON values, of a size that does not grow with the data. Spark may run a task twice.
    """
    return call_tasks(spark, [partial(work, task) for task in tasks])


def call_tasks(spark: SparkSession, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make calls, each a task of Spark's, and return what they return, in order: plain JSON values."""
    if not calls:
        return []
    # Rows, one of each task: in the function's closure every task would bring all of them.
    sent = spark.sparkContext.parallelize(calls, len(calls))
    return [json.loads(report) for report in sent.map(_call).collect()]  # one per task


def _call(call: Callable[[], Any]) -> str:
    with _archives_forgotten():
        return json.dumps(call())


def shuffle(
    spark: SparkSession,
    tasks: Sequence[Task],
    split: Callable[[Task], Iterator[tuple[int, pa.Buffer]]],
    gather: Callable[[int, Iterator[pa.Table]], Iterable[Report]],
    buckets: int,
) -> list[Report]:
    """Split every task into blobs by bucket, bring each bucket's together, and return what gather reports.

    A bucket without blobs is not gathered. Reports are ordered by bucket.
    """
    if not tasks:
        return []

    with _carrier(spark) as carrier:

        def spread(task: Task) -> Iterator[Blob]:
            with _archives_forgotten():
                yield from carrier.send(split(task))

        def collected(bucket: int, blobs: Iterable[Blob]) -> Iterator[str]:
            with _archives_forgotten():
                rest = iter(blobs)
                first = next(rest, None)
                if first is not None:
                    tables = unpack(carrier.receive(blob) for _, blob in chain([first], rest))
                    yield from (json.dumps(report) for report in gather(bucket, tables))

        blobs = spark.sparkContext.parallelize(tasks, len(tasks)).flatMap(spread)
        placed = blobs.partitionBy(buckets, _same)
        # A few for each bucket, whose number grows by one for each million or two of rows.
        return [json.loads(report) for report in placed.mapPartitionsWithIndex(collected).collect()]


@dataclass(frozen=True, kw_only=True)
class _Carrier:
    """How blobs get from task to task: through Spark, or in files of a folder that all of them see.

    Through Spark a blob is copied some eight times, half of them in Java, and packed and unpacked: of an
    ingest of 23 M ratings that is a fifth of the time.
    """

    folder: str | None

    def send(self, blobs: Iterable[tuple[int, pa.Buffer]]) -> Iterator[Blob]:
        """Yield (bucket, blob), or where the blob is, for what a task has made."""
        if self.folder is None:
            yield from ((bucket, blob.to_pybytes()) for bucket, blob in blobs)
            return
        name = uuid.uuid4().hex  # the task may run twice
        with Path(self.folder, name).open("wb") as file:
            for bucket, blob in blobs:
                yield bucket, json.dumps([name, file.tell(), file.write(blob)]).encode()

    def receive(self, sent: bytes) -> pa.Buffer:
        """Return the blob."""
        if self.folder is None:
            return pa.py_buffer(sent)
        name, start, size = json.loads(sent)
        with pa.memory_map(str(Path(self.folder, name))) as file:
            file.seek(start)
            return file.read_buffer(size)


@contextmanager
def _carrier(spark: SparkSession) -> Iterator[_Carrier]:
    """Use files where all tasks run on this machine, below a folder that Spark removes with its own."""
    if not str(spark.sparkContext.master).startswith("local"):
        yield _Carrier(folder=None)
        return
    with TemporaryDirectory(prefix="shuffle-", dir=SparkFiles.getRootDirectory()) as folder:
        yield _Carrier(folder=folder)


def _same(bucket: int) -> int:
    return bucket


@contextmanager
def _archives_forgotten() -> Iterator[None]:
    """Do a task, then forget the importers of archives, which cost the next one 0.25 s.

    Before every task Spark's worker has Python renew its view of all folders and archives that it imported
    from. Spark's own 14 MB jar is on the path of every worker; Python 3.11 reads its 7,000 entries at once.
    """
    try:
        yield
    finally:
        for path, importer in list(sys.path_importer_cache.items()):
            if isinstance(importer, zipimporter):
                del sys.path_importer_cache[path]
