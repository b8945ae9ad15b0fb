"""The complete Magazine Subscriptions category gives the counts that are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from sequoia.index.stage import run as index
from sequoia.road.stage import Context
from sequoia.sequences.core import find_core
from sequoia.sequences.stage import run

pytestmark = [pytest.mark.spark, pytest.mark.delta]


def test_magazine_has_the_known_cores(shared_data: Path, make_context: Callable[..., Context]) -> None:
    context = make_context()
    path = str(shared_data / "amazon2018" / "Magazine_Subscriptions.csv.gz")
    raw = context.spark.read.csv(path, schema="item STRING, user STRING, rating FLOAT, seconds BIGINT")
    lines = raw.select("user", "item", (F.col("seconds") * 1000).alias("time"), "rating").localCheckpoint()
    events = lines.dropDuplicates(["user", "item", "time"])
    nothing = [F.lit(None).alias(name) for name in ("verified", "votes")]
    context.tables.overwrite("interactions", events.select("*", *nothing, F.lit("ratings").alias("source")))

    indexed = index(context)
    assert (indexed.rows_in, indexed.details["users"], indexed.details["items"]) == (88_467, 72_098, 2_428)

    kept = run(context)
    assert kept.details["kcore"] == {"k": 5, "rounds": 12, "users": 304, "items": 134, "interactions": 2_095}
    assert kept.details["removed"] == {"without_user": 0, "repeats": 0, "kcore": 86_372, "max_events": 0}
    assert kept.rows_out == kept.details["training_rows"] == 304
    assert context.tables.read("vocabulary").count() == 134

    # Raw lines, duplicates and all: the filter alone, on hashes in place of ids.
    hashes = F.xxhash64("user").alias("user_id"), F.xxhash64("item").alias("item_id")
    pairs = lines.groupBy(*hashes).agg(F.count("*").alias("events")).localCheckpoint()
    rounds = find_core(pairs, k=5, max_rounds=100).rounds
    assert [one.interactions for one in rounds[:3]] == [89_689, 4_691, 3_540]
    assert (len(rounds) - 1, rounds[-1].users, rounds[-1].items) == (14, 326, 138)
    assert rounds[-1].interactions == 2_236
    once = pairs.withColumn("events", F.lit(1).cast("bigint"))
    last = find_core(once, k=5, max_rounds=100).rounds[-1]
    assert (last.users, last.items, last.interactions) == (294, 132, 2_027)
