"""The fingerprint of a table's content says whether rows are the same, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from sequoia.tables.content import content_fingerprint

SCHEMA = "user BIGINT, first ARRAY<INT>, second ARRAY<INT>, brand STRING, maker STRING"
ROWS: list[tuple[Any, ...]] = [
    (1, [1, 2], [3], "a", None),
    (2, [], [4], None, None),
    (3, None, [0], "", "b"),
    (3, None, [0], "", "b"),
]
FIRST, *OTHERS = ROWS


def mark(spark: SparkSession, rows: list[tuple[Any, ...]], schema: str = SCHEMA) -> str:
    return content_fingerprint(spark.createDataFrame(rows, schema))


def test_order_and_partitions_do_not_matter(spark: SparkSession) -> None:
    assert mark(spark, ROWS) == content_fingerprint(spark.createDataFrame(ROWS[::-1], SCHEMA).repartition(3))
    assert len(mark(spark, ROWS)) == 16


@pytest.mark.parametrize(
    "other",
    [
        [*OTHERS],
        [FIRST, *OTHERS[:2]],  # a row once instead of twice
        [FIRST, *OTHERS, *OTHERS[1:]],  # three and four times instead of once and twice
        [(2, *FIRST[1:]), *OTHERS],
        [(1, [1], [2, 3], "a", None), *OTHERS],  # the same numbers, another end of the array
        [(1, [2, 1], [3], "a", None), *OTHERS],
        [(1, [1, 2], [3], None, "a"), *OTHERS],  # the same text in the next column
        [(1, [1, 2], [3], "a", ""), *OTHERS],
        [FIRST, (2, None, [4], None, None), *OTHERS[1:]],  # no array instead of an empty one
        [],
    ],
)
def test_every_difference_shows(spark: SparkSession, other: list[tuple[Any, ...]]) -> None:
    assert mark(spark, other) != mark(spark, ROWS)


def test_names_and_types_of_columns_matter(spark: SparkSession) -> None:
    named, wider = SCHEMA.replace("maker", "made_by"), SCHEMA.replace("user BIGINT", "user INT")
    assert len({mark(spark, ROWS, schema) for schema in (SCHEMA, named, wider)}) == 3


def test_hashes_add_up_in_ansi_mode(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.ansi.enabled", "true")
    try:
        assert content_fingerprint(spark.range(100_000)) == content_fingerprint(spark.range(99_999, -1, -1))
    finally:
        spark.conf.unset("spark.sql.ansi.enabled")
