"""What evaluation left in the tables, in the shape the rules want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sequoia.errors import UserError
from sequoia.evaluate.bootstrap import Interval
from sequoia.evaluate.summary import ALL, COLD_ITEMS, FULL, NEW_USERS
from sequoia.modelling.trained_on import read_trained_on
from sequoia.promote.comparison import Comparison, Demands, compare
from sequoia.promote.guard_rails import Rail
from sequoia.promote.rules import BASELINE, Champion, Evidence, Seen
from sequoia.promote.shared_users import Joint, joint_histograms, seen_targets
from sequoia.road.stage import Context
from sequoia.storage import Location

CHAMPION = "champion"
RAILS = ("coverage@10", "shown_popularity@10", "latency_p50_ms", "size_mib")
UNKNOWN = "an unknown day"

Metrics = Mapping[tuple[str, str, str], "MeasuredMetric"]


@dataclass(frozen=True, kw_only=True)
class MeasuredMetric:
    """A row of the metrics table under the full protocol, over all users."""

    fingerprint: str
    interval: Interval
    users: int


def read_metrics(context: Context) -> Metrics:
    """Return the full-ranking metrics by (model, split, metric)."""
    whole = {"protocol": [FULL], "slice": [ALL]}
    rows = context.tables.rows("metrics", where=whole, written_by="evaluate")  # dozens per model
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


def gather(
    context: Context, metrics: Metrics, challenger: str, *, folder: Location, champion: Location | None
) -> Evidence:
    """Collect the test evidence on a challenger, on the same users as its opponents.

    folder: the challenger's. champion: the champion's folder, None when there is nothing to compare with.
    """
    metric = context.config.promote.metric
    has_baseline = challenger != BASELINE and (BASELINE, "test", metric) in metrics
    opponents = [CHAMPION] * (champion is not None) + [BASELINE] * has_baseline
    joint = joint_histograms(context, challenger, opponents)
    seen = seen_targets(context, [challenger, *opponents])
    own = read_trained_on(folder)
    return Evidence(
        challenger=challenger,
        metric=metrics[challenger, "test", metric].interval,
        seen=seen[challenger],
        until=own.until if own else UNKNOWN,
        baseline=_compared(context, BASELINE, joint[BASELINE, ALL]) if has_baseline else None,
        champion=_champion(context, metrics, challenger, folder, champion, joint, seen[CHAMPION])
        if champion is not None
        else None,
    )


def _champion(
    context: Context,
    metrics: Metrics,
    challenger: str,
    folder: Location,
    champion: Location,
    joint: Joint,
    seen: Seen,
) -> Champion:
    own, other = read_trained_on(folder), read_trained_on(champion)
    rails = [
        Rail(
            name=name,
            own=metrics[challenger, "test", name].interval.value,
            other=metrics[CHAMPION, "test", name].interval.value,
        )
        for name in RAILS
    ]
    slices = [
        _compared(context, name, joint[CHAMPION, name])
        for name in (NEW_USERS, COLD_ITEMS)
        if joint[CHAMPION, name].any()
    ]
    return Champion(
        comparison=_compared(context, CHAMPION, joint[CHAMPION, ALL]),
        seen=seen,
        fresher=own.newest > other.newest if own and other else None,
        until=other.until if other else UNKNOWN,
        rails=rails,
        slices=slices,
    )


def _compared(context: Context, name: str, joint: NDArray[np.int64]) -> Comparison:
    settings = context.config.promote
    if not joint.any():
        raise UserError(
            f"no test user is left to compare with {name}: it was trained on all test targets; "
            "judge without it by promote.compare_champion=false"
        )
    demands = Demands(
        metric=settings.metric,
        difference=settings.difference,
        power=settings.power,
        false_promotions=settings.false_promotions,
        floor=settings.minimum,
    )
    samples = context.config.evaluate.bootstrap_samples
    return compare(name, joint, demands, samples=samples, seed=context.config.seed)
