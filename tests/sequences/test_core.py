"""The k-core round by round in Spark equals the one that a single task finds."""

from __future__ import annotations

import random

import pytest
from pyspark.sql import DataFrame, SparkSession

from sequoia.sequences.core import find_core

pytestmark = pytest.mark.spark


def graph(spark: SparkSession, pairs: dict[tuple[int, int], int]) -> DataFrame:
    rows = [(user, item, events) for (user, item), events in pairs.items()]
    return spark.createDataFrame(rows, "user_id BIGINT, item_id BIGINT, events BIGINT").localCheckpoint()


def test_distributed_and_single_task_rounds_agree(spark: SparkSession) -> None:
    chance = random.Random(5)
    edges = {(chance.randrange(60), chance.randrange(40)): chance.choice([1, 1, 1, 2]) for _ in range(210)}
    pairs = graph(spark, edges).repartition(3)
    alone = find_core(pairs, k=4, max_rounds=100)
    assert alone.settled
    sizes = [one.interactions for one in alone.rounds]
    assert 0 < sizes[-1] < sizes[1] < sizes[0]
    assert pairs.count() > 190
    # All rounds in Spark; or the first only, for fewer pairs are left after it.
    for bound in (0, 190):
        core = find_core(pairs, k=4, max_rounds=100, in_memory_pairs=bound)
        assert core.settled
        assert core.rounds == alone.rounds
        assert sorted(core.pairs.collect()) == sorted(alone.pairs.collect())


def test_too_few_rounds_are_not_settled(spark: SparkSession) -> None:
    stairs = graph(spark, {(user, user + step): 1 for user in range(9) for step in (0, 1)})
    assert not find_core(stairs, k=2, max_rounds=1).settled
    assert not find_core(stairs, k=2, max_rounds=1, in_memory_pairs=0).settled


def test_nothing_in_is_nothing_left(spark: SparkSession) -> None:
    core = find_core(graph(spark, {}), k=2, max_rounds=5)
    assert core.settled
    assert [one.interactions for one in core.rounds] == [0]
