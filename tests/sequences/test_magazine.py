"""The complete Magazine Subscriptions category gives the counts that are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from sequoia.buckets.arrays import save
from sequoia.index.stage import run as index
from sequoia.road.stage import Context
from sequoia.sequences.core import Round, find_core
from sequoia.sequences.stage import run


@pytest.mark.spark
@pytest.mark.delta
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


def test_raw_lines_duplicates_and_all_have_the_known_cores(shared_data: Path, tmp_path: Path) -> None:
    """The filter alone: as it is published, and with a pair counted once."""
    path = shared_data / "amazon2018" / "Magazine_Subscriptions.csv.gz"
    lines = pd.read_csv(path, names=["item", "user", "rating", "seconds"], usecols=["item", "user"])
    rounds = rounds_of(lines, str(tmp_path))
    assert [one.interactions for one in rounds[:3]] == [89_689, 4_691, 3_540]
    assert (len(rounds) - 1, rounds[-1].users, rounds[-1].items) == (14, 326, 138)
    assert rounds[-1].interactions == 2_236
    last = rounds_of(lines.drop_duplicates(), str(tmp_path))[-1]
    assert (last.users, last.items, last.interactions) == (294, 132, 2_027)


def rounds_of(lines: pd.DataFrame, folder: str) -> list[Round]:
    users, _ = pd.factorize(lines["user"])
    items, names = pd.factorize(lines["item"])
    order = np.argsort(users, kind="stable")
    flat = {"item": items[order].astype(np.int32), "time": order, "rating": order.astype(np.float32)}
    counts = np.bincount(users)
    piece = {
        "events": save(pa.table(flat), folder, "events"),
        "users": save(pa.table({"id": np.arange(len(counts)), "events": counts}), folder, "users"),
        "kept": len(lines),
        "distinct": len(counts),
    }

    def inline(*calls: partial[Any]) -> list[Any]:
        return [call() for call in calls]

    return find_core(inline, [piece], items=len(names), k=5, max_rounds=100, folder=folder).rounds
