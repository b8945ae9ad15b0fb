"""What evaluation left in the tables, in the shape the rules want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.evaluate.bootstrap import Bootstrap, Interval
from sequoia.evaluate.metrics import BUCKETS
from sequoia.evaluate.summary import bucket
from sequoia.promote.rules import Against, Evidence
from sequoia.stage import Context

CHAMPION = "champion"
BASELINE = "counting"
GUARD_RAIL = "coverage@10"

Metrics = Mapping[tuple[str, str, str], "MeasuredMetric"]


@dataclass(frozen=True, kw_only=True)
class MeasuredMetric:
    """A row of the metrics table under the full protocol."""

    fingerprint: str
    interval: Interval
    users: int


def read_metrics(context: Context) -> Metrics:
    """Return the full-ranking metrics by (model, split, metric)."""
    table = context.tables.read("metrics", written_by="evaluate")
    rows = table.where(F.col("protocol") == "full").collect()  # a few dozen numbers per model
    return {
        (row["model"], row["split"], row["metric"]): MeasuredMetric(
            fingerprint=row["fingerprint"],
            interval=Interval(value=row["value"], low=row["low"] or 0.0, high=row["high"] or 0.0),
            users=row["users"],
        )
        for row in rows
    }


def best_on_validation(metrics: Metrics, metric: str, fingerprints: Mapping[str, str]) -> str:
    """Return the trained model with the highest validation metric; of equals the first by name.

    Raises UserError when a trained model was not evaluated since.
    """
    for name, fingerprint in fingerprints.items():
        require_evaluated(metrics, name, metric, fingerprint)
    return min(fingerprints, key=lambda name: (-metrics[name, "valid", metric].interval.value, name))


def require_evaluated(metrics: Metrics, name: str, metric: str, fingerprint: str) -> None:
    """Raise UserError unless the metrics of this very model are there."""
    found = metrics.get((name, "test", metric))
    if found is None or found.fingerprint != fingerprint:
        raise UserError(
            f"model {name} with fingerprint {fingerprint} was not evaluated: run `sequoia evaluate` first"
        )


def gather(context: Context, metrics: Metrics, challenger: str, *, champion: bool) -> Evidence:
    """Collect the test evidence on the challenger, on the same users as its opponents."""
    metric = context.config.promote.metric
    baseline = challenger != BASELINE and (BASELINE, "test", metric) in metrics
    opponents = [CHAMPION] * champion + [BASELINE] * baseline
    joint = joint_histograms(context, challenger, opponents) if opponents else {}
    settings = context.config.evaluate
    bootstrap = Bootstrap(
        samples=settings.bootstrap_samples, confidence=settings.confidence, seed=context.config.seed
    )
    against = {
        name: Against(name=name, difference=bootstrap.difference(metric, counts))
        for name, counts in joint.items()
    }
    own = metrics[challenger, "test", metric]
    for name, counts in joint.items():
        if counts.sum() != own.users:
            raise UserError(
                f"{name} and {challenger} were evaluated on other users: run `sequoia evaluate` again"
            )
    return Evidence(
        challenger=challenger,
        users=own.users,
        metric=own.interval,
        coverage=metrics[challenger, "test", GUARD_RAIL].interval.value,
        champion=against.get(CHAMPION),
        champion_coverage=metrics[CHAMPION, "test", GUARD_RAIL].interval.value if champion else None,
        baseline=against.get(BASELINE),
    )


def joint_histograms(context: Context, challenger: str, opponents: list[str]) -> dict[str, NDArray[np.int64]]:
    """Count test users by the challenger's bucket (rows) and each opponent's (columns): (21, 21) int64."""
    ranks = context.tables.read("ranks", written_by="evaluate").where(F.col("split") == "test")
    own = ranks.where(F.col("model") == challenger).select("user_id", bucket("rank").alias("own"))
    others = ranks.where(F.col("model").isin(opponents)).select(
        "user_id", "model", bucket("rank").alias("other")
    )
    # At most 441 pairs of buckets for each of two opponents.
    rows = own.join(others, on="user_id").groupBy("model", "own", "other").count().collect()
    found = {name: np.zeros((BUCKETS, BUCKETS), dtype=np.int64) for name in opponents}
    for row in rows:
        found[row["model"]][row["own"] - 1, row["other"] - 1] = row["count"]
    return found
