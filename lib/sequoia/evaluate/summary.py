"""From ranks to metrics: Spark counts ranks by bucket, numpy does the rest on a few hundred numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.metrics import BUCKETS, CUTOFFS

PROTOCOLS = {"full": "rank", "sampled-uniform": "uniform_rank", "sampled-popularity": "popularity_rank"}


@dataclass(frozen=True, kw_only=True, order=True)
class Measured:
    """What is measured: model, split, and protocol (full, sampled-uniform or sampled-popularity)."""

    model: str
    split: str
    protocol: str


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row of the metrics table; low and high are None for coverage."""

    measured: Measured
    metric: str
    value: float
    low: float | None
    high: float | None
    users: int


def bucket(rank: str) -> Column:
    """Return the bucket of a rank column: 1 to 20, 21 for all ranks beyond, null for null."""
    return F.when(F.col(rank).isNotNull(), F.least(F.col(rank), F.lit(BUCKETS)))  # least() passes over null


def rank_histograms(ranks: DataFrame) -> dict[Measured, NDArray[np.int64]]:
    """Count ranks by bucket for each model, split and protocol."""
    pairs = F.array(
        *(
            F.struct(F.lit(name).alias("protocol"), bucket(column).alias("bucket"))
            for name, column in PROTOCOLS.items()
        )
    )
    ranked = ranks.select("model", "split", F.inline(pairs)).where("bucket IS NOT NULL")
    # At most 21 buckets for each of three protocols, two splits and a handful of models.
    rows = ranked.groupBy("model", "split", "protocol", "bucket").count().collect()
    found: dict[Measured, NDArray[np.int64]] = {}
    for row in rows:
        measured = Measured(model=row["model"], split=row["split"], protocol=row["protocol"])
        found.setdefault(measured, np.zeros(BUCKETS, dtype=np.int64))[row["bucket"] - 1] = row["count"]
    return dict(sorted(found.items()))


def covered_items(ranks: DataFrame) -> dict[tuple[str, str], list[int]]:
    """Count distinct recommended items up to each cut-off, for each model and split."""
    placed = ranks.select("model", "split", F.posexplode("recommended").alias("place", "row"))
    best = placed.groupBy("model", "split", "row").agg(F.min("place").alias("place"))
    counts = [F.count(F.when(F.col("place") < cutoff, 1)).alias(f"at_{cutoff}") for cutoff in CUTOFFS]
    rows = best.groupBy("model", "split").agg(*counts).collect()  # one row per model and split
    return {(row["model"], row["split"]): [row[f"at_{cutoff}"] for cutoff in CUTOFFS] for row in rows}


def metric_rows(
    histograms: dict[Measured, NDArray[np.int64]],
    covered: dict[tuple[str, str], list[int]],
    num_items: int,
    bootstrap: Bootstrap,
) -> list[Metric]:
    """Return all metrics: intervals from the histograms, and coverage under the full protocol."""
    rows = []
    for measured, counts in histograms.items():
        users = int(counts.sum())
        for metric, interval in bootstrap.intervals(counts).items():
            rows.append(
                Metric(
                    measured=measured,
                    metric=metric,
                    value=interval.value,
                    low=interval.low,
                    high=interval.high,
                    users=users,
                )
            )
        if measured.protocol == "full":
            items = covered.get((measured.model, measured.split), [0] * len(CUTOFFS))
            for cutoff, count in zip(CUTOFFS, items, strict=True):
                share = count / num_items
                name = f"coverage@{cutoff}"
                rows.append(
                    Metric(measured=measured, metric=name, value=share, low=None, high=None, users=users)
                )
    return rows
