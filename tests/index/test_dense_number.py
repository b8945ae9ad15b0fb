"""Numbers follow the order, without gaps, however the rows lie."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sequoia.index.dense_number import dense_number

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("partitions", [1, 7])
def test_numbers_are_consecutive_in_the_order(spark: SparkSession, partitions: int) -> None:
    # 613 is prime: the keys 0..612 in a scrambled sequence, each weight shared by several keys.
    rows = [(place * 100 % 613, (place * 100 % 613) % 5) for place in range(613)]
    frame = spark.createDataFrame(rows, "key BIGINT, weight BIGINT").repartition(partitions)
    order = [F.desc("weight"), F.asc("key")]
    numbered = dense_number(frame, order, name="number", first=2).collect()
    by_number = [(row["key"], row["weight"]) for row in sorted(numbered, key=lambda row: row["number"])]
    assert by_number == sorted(rows, key=lambda row: (-row[1], row[0]))
    assert sorted(row["number"] for row in numbered) == list(range(2, 615))


def test_no_rows_give_no_numbers(spark: SparkSession) -> None:
    empty = spark.createDataFrame([], "key BIGINT")
    assert dense_number(empty, [F.asc("key")], name="number", first=0).collect() == []
