from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zipimport import zipimporter

import pyarrow as pa
import pytest
from pyspark import SparkFiles
from pyspark.sql import SparkSession

from sequoia.buckets.blobs import bucket_of, split
from sequoia.buckets.shuffle import call_tasks, map_tasks, shuffle
from sequoia.buckets.strings import hash_strings

pytestmark = pytest.mark.spark

TASKS = [[f"u{(task * 37 + number) % 90}" for number in range(200)] for task in range(5)]


def send(users: list[str]) -> Iterator[tuple[int, pa.Buffer]]:
    rows = pa.table({"user": users})
    return split(rows, hash_strings(rows.column("user").chunk(0)).first, 6)


def gather(bucket: int, tables: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    users = pa.concat_tables(tables).column("user").combine_chunks()
    assert set(bucket_of(hash_strings(users).first, 6).tolist()) == {bucket}
    yield {"bucket": bucket, "users": sorted(users.to_pylist())}


def test_every_bucket_gets_all_of_its_rows_in_one_place(spark: SparkSession) -> None:
    found = shuffle(spark, TASKS, send, gather, 6)
    assert [report["bucket"] for report in found] == sorted({report["bucket"] for report in found})
    assert sorted(user for report in found for user in report["users"]) == sorted(
        user for users in TASKS for user in users
    )


def test_nothing_to_shuffle_is_nothing_to_gather(spark: SparkSession) -> None:
    assert shuffle(spark, [], send, gather, 6) == []


def test_reports_come_in_the_order_of_the_tasks(spark: SparkSession) -> None:
    found = map_tasks(spark, [3, 1, 2], lambda number: {"twice": 2 * number})
    assert found == [{"twice": 6}, {"twice": 2}, {"twice": 4}]
    assert map_tasks(spark, [], lambda number: {"twice": number}) == []


def importers_of_archives() -> list[str]:
    return [path for path, found in sys.path_importer_cache.items() if isinstance(found, zipimporter)]


def test_a_worker_does_not_read_sparks_jar_before_every_task(spark: SparkSession) -> None:
    """Which takes a quarter of a second; the first look is what the task before left behind."""
    call_tasks(spark, [partial(int, 1)] * 8)
    assert [found for found in call_tasks(spark, [importers_of_archives] * 4) if found] == []


def fail(bucket: int, tables: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    raise OSError(f"bucket {bucket} cannot be gathered")


def test_nothing_that_was_shuffled_stays_on_disk(spark: SparkSession) -> None:
    folder = Path(SparkFiles.getRootDirectory())
    shuffle(spark, TASKS, send, gather, 6)
    with pytest.raises(Exception, match="cannot be gathered"):
        shuffle(spark, TASKS, send, fail, 6)
    assert [*folder.glob("shuffle-*")] == []
