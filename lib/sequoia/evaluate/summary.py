"""From ranks to metrics: Spark counts ranks by bucket, numpy does the rest on a few hundred numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.metrics import BUCKETS, CUTOFFS

ALL, NEW_USERS, COLD_ITEMS = "all", "new users", "cold items"
FULL = "full"
POPULARITY = "shown_popularity@10"
PROTOCOLS = {FULL: "rank", "sampled-uniform": "uniform_rank", "sampled-popularity": "popularity_rank"}


@dataclass(frozen=True, kw_only=True, order=True)
class Measured:
    """What is measured: model, split, protocol (full, sampled-uniform, sampled-popularity), slice."""

    model: str
    split: str
    protocol: str
    slice: str = ALL


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row of the metrics table; low and high are None where there is no interval."""

    measured: Measured
    metric: str
    value: float
    low: float | None
    high: float | None
    users: int


@dataclass(frozen=True, kw_only=True)
class Slices:
    """Users with at most so many events before the target; targets with at most so many training events."""

    new_user_events: int
    cold_item_events: int

    def columns(self) -> dict[str, Column]:
        """Return for each slice which rows of `ranks` belong to it."""
        return {
            NEW_USERS: F.col("history_events") <= self.new_user_events,
            COLD_ITEMS: F.col("target_events") <= self.cold_item_events,
        }


def bucket(rank: str) -> Column:
    """Return the bucket of a rank column: 1 to 20, 21 for all ranks beyond, null for null."""
    return F.when(F.col(rank).isNotNull(), F.least(F.col(rank), F.lit(BUCKETS)))  # least() passes over null


def rank_histograms(ranks: DataFrame, slices: Slices) -> dict[Measured, NDArray[np.int64]]:
    """Count ranks by bucket for each model, split and protocol; the slices under the full protocol only."""
    pairs = F.array(
        *(
            F.struct(F.lit(name).alias("protocol"), bucket(column).alias("bucket"))
            for name, column in PROTOCOLS.items()
        )
    )
    flags = slices.columns()
    ranked = ranks.select("model", "split", *(flags[name].alias(name) for name in flags), F.inline(pairs))
    # At most 21 buckets for each of three protocols, two splits, four kinds of users and a handful of models.
    keys = ["model", "split", "protocol", "bucket", *flags]
    rows = ranked.where("bucket IS NOT NULL").groupBy(*keys).count().collect()
    found: dict[Measured, NDArray[np.int64]] = {}
    for row in rows:
        inside = [name for name in flags if row[name] and row["protocol"] == FULL]
        for part in (ALL, *inside):
            key = Measured(model=row["model"], split=row["split"], protocol=row["protocol"], slice=part)
            found.setdefault(key, np.zeros(BUCKETS, dtype=np.int64))[row["bucket"] - 1] += row["count"]
    return dict(sorted(found.items()))


def shown_popularity(ranks: DataFrame) -> dict[tuple[str, str], float]:
    """Return the mean popularity of what is shown, by model and split; 1: the best seller everywhere."""
    rows = ranks.groupBy("model", "split").agg(F.avg("shown_popularity").alias("mean")).collect()  # one each
    return {(row["model"], row["split"]): row["mean"] or 0.0 for row in rows}


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
    shown: dict[tuple[str, str], float],
    num_items: int,
    bootstrap: Bootstrap,
) -> list[Metric]:
    """Return all metrics: intervals from the histograms; coverage and popularity under the full protocol."""
    rows = []
    for measured, counts in histograms.items():
        users = int(counts.sum())
        rows += [
            Metric(measured=measured, metric=metric, value=at.value, low=at.low, high=at.high, users=users)
            for metric, at in bootstrap.intervals(counts).items()
        ]
        if (measured.protocol, measured.slice) == (FULL, ALL):
            key = (measured.model, measured.split)
            items = covered.get(key, [0] * len(CUTOFFS))
            shares = {f"coverage@{at}": count / num_items for at, count in zip(CUTOFFS, items, strict=True)}
            rows += plain_metrics(measured, {**shares, POPULARITY: shown.get(key, 0.0)}, users)
    return rows


def plain_metrics(measured: Measured, values: dict[str, float], users: int) -> list[Metric]:
    """Return metrics without intervals."""
    return [
        Metric(measured=measured, metric=name, value=value, low=None, high=None, users=users)
        for name, value in values.items()
    ]
