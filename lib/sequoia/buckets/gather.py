"""Files of any order into pieces: the one shuffle that brings the rows of each key together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import SparkSession

from sequoia.buckets.blobs import split
from sequoia.buckets.bounded import bounded
from sequoia.buckets.shuffle import Report, shuffle
from sequoia.buckets.sizes import bucket_count, bucket_range, grouped
from sequoia.splitmix64 import Unsigned
from sequoia.tables.parts import Part, Target, write_part


def gather_pieces(
    spark: SparkSession,
    parts: Sequence[Part],
    read: Callable[[Part], pa.Table],
    hash_of: Callable[[pa.Table], Unsigned],
    finish: Callable[[pa.Table], tuple[pa.Table, Report]],
    *,
    rows: int,
    target: Target,
) -> list[tuple[Part, Report]]:
    """Write what finish makes of all rows of a range of hashes to a file for each range; return the files.

    read: of a file the rows to bring together; finish: the rows of a file, and what to report of them; rows:
    about how many there are in all.
    """
    cores = spark.sparkContext.defaultParallelism
    buckets = bucket_count(rows, cores)

    def send(files: list[Part]) -> Iterator[tuple[int, pa.Buffer]]:
        found = pa.concat_tables([read(part) for part in files])
        return split(found, hash_of(found), buckets)

    def receive(bucket: int, received: Iterable[pa.Table]) -> Iterator[Report]:
        for span, found in bounded(received, bucket_range(bucket, buckets), hash_of):
            finished, report = finish(found)
            yield {"part": write_part(finished, target, name=span.name).to_json(), "report": report}

    reports = shuffle(spark, grouped(parts, cores), send, receive, buckets)
    return [(Part(**report["part"]), report["report"]) for report in reports]
