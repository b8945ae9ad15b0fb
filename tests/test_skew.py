"""Skew is the normal case: a bot with a million events, a best seller, a bucket ten times the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from pyspark.sql import functions as F

from sequoia.buckets.bounded import LARGEST
from sequoia.buckets.pieces import as_pieces
from sequoia.buckets.sizes import bucket_count, bucket_range
from sequoia.buckets.strings import hash_strings
from sequoia.road.stage import Context
from sequoia.road.walk import load_stage

pytestmark = [pytest.mark.spark, pytest.mark.delta, pytest.mark.slow]

BOT = 1_000_000  # events, 20 of each of its items
CROWD = 200_000  # users, of three events: the best seller and two of a thousand others
KEPT = 300


def write_ratings(path: Path) -> None:
    """Write 1.6 million lines, those of the bot among the others."""
    rng = np.random.default_rng(3)
    users = np.repeat(np.arange(CROWD), 3)
    others = rng.integers(0, 1000, (CROWD, 2))
    others[:, 1] = np.where(others[:, 1] == others[:, 0], (others[:, 1] + 1) % 1000, others[:, 1])
    crowd = np.hstack([np.full((CROWD, 1), -1), others]).reshape(-1)
    item = [f"c{number:04d}" if number >= 0 else "best-seller" for number in crowd.tolist()]
    item += [f"b{number % (BOT // 20):05d}" for number in range(BOT)]
    user = [f"user-{number}" for number in users.tolist()] + ["bot"] * BOT
    time = np.concatenate([np.tile([1, 2, 3], CROWD) * 86_400, np.arange(BOT) * 60]) + 1_000_000_000
    table = pa.table({"item": item, "user": user, "rating": np.full(len(item), 5.0), "time": time})
    mixed = table.take(pa.array(rng.permutation(len(item))))
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    pa.csv.write_csv(mixed, path, options)


def test_a_bot_and_a_best_seller_survive_all_stages(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    write_ratings(tmp_path / "Skewed.csv")
    context = make_context(
        f"ingest.raw={tmp_path}",
        "sequences.k=3",
        f"sequences.max_events={KEPT}",
        "negatives.candidates=10",
        "negatives.stored=null",
    )
    ingested = load_stage("ingest").run(context)
    assert (ingested.rows_in, ingested.details["interactions"]) == (3 * CROWD + BOT,) * 2
    indexed = load_stage("index").run(context)
    assert indexed.details["active"] == {"users": CROWD + 1, "items": 1001 + BOT // 20}
    result = load_stage("sequences").run(context)
    assert result.details["kcore"]["interactions"] == 3 * CROWD + BOT
    assert result.details["removed"]["max_events"] == BOT - KEPT - 2  # what is held out stays beside them
    lengths = context.tables.read("sequences").groupBy("length").count().collect()
    assert {row["length"]: row["count"] for row in lengths} == {3: CROWD, KEPT + 2: 1}
    best = context.tables.read("vocabulary").where(F.col("item") == "best-seller").first()
    assert best is not None
    assert best["events"] == CROWD  # the first of three events of each user trains
    drawn = load_stage("negatives").run(context)
    assert drawn.details["sets"][0]["users"] == CROWD + 1


@pytest.mark.long
def test_a_bucket_ten_times_the_others_is_split(make_context: Callable[..., Context], tmp_path: Path) -> None:
    buckets, heavy = 4, LARGEST + 300_000
    rows = heavy + (buckets - 1) * heavy // 10
    assert bucket_count(rows, 2) == buckets
    names = pa.array([f"user-{number}" for number in range(100_000)])
    inside = hash_strings(names).first <= np.uint64(bucket_range(0, buckets).last)
    full, others = names.filter(pa.array(inside)), names.filter(pa.array(~inside))
    rng = np.random.default_rng(5)
    user = [
        of.take(pa.array(rng.integers(0, len(of), size)))
        for of, size in ((full, heavy), (others, rows - heavy))
    ]
    number = np.arange(rows)
    table = pa.table(
        {
            "item": pa.array(number % 5_000).cast(pa.string()),
            "user": pa.chunked_array(user).combine_chunks(),
            "rating": np.full(rows, 4.0),
            "time": 1_000_000_000 + number * 60,
        }
    )
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    pa.csv.write_csv(table.take(pa.array(rng.permutation(rows))), tmp_path / "Full.csv", options)
    context = make_context(f"ingest.raw={tmp_path}", "sequences.k=1")
    assert load_stage("ingest").run(context).details["interactions"] == rows
    pieces = as_pieces(context.tables.files("interactions"))
    assert pieces is not None
    inside_first = [part.rows for span, part in pieces.items() if span.last <= bucket_range(0, buckets).last]
    assert sum(inside_first) == heavy
    assert max(inside_first) < heavy / 10
    indexed = load_stage("index").run(context)
    assert indexed.details["active"] == {"users": 100_000, "items": 5_000}
    made = load_stage("sequences").run(context)
    assert made.details["kcore"]["interactions"] == rows
