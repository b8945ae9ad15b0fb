"""One shuffle of Spark's with Arrow blobs for rows: some hundred values where there were millions.

The tasks are those of plain RDDs: nothing here is a query, and the first query of a session takes seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, TypeVar
from zipimport import zipimporter

import pyarrow as pa
from pyspark.sql import SparkSession

from sequoia.buckets.blobs import unpack

Task = TypeVar("Task")
Report = dict[str, Any]
Blob = tuple[int, bytes]  # bucket and Arrow stream


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

    def spread(task: Task) -> Iterator[Blob]:
        with _archives_forgotten():
            for bucket, blob in split(task):
                yield bucket, blob.to_pybytes()

    def collected(bucket: int, blobs: Iterable[Blob]) -> Iterator[str]:
        with _archives_forgotten():
            rest = iter(blobs)
            first = next(rest, None)
            if first is not None:
                tables = unpack(pa.py_buffer(blob) for _, blob in chain([first], rest))
                yield from (json.dumps(report) for report in gather(bucket, tables))

    blobs = spark.sparkContext.parallelize(tasks, len(tasks)).flatMap(spread)
    placed = blobs.partitionBy(buckets, _same)
    # A few for each bucket, whose number grows by one for each million or two of rows.
    return [json.loads(report) for report in placed.mapPartitionsWithIndex(collected).collect()]


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
