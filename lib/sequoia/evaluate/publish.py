"""Where metrics go: the metrics table, the MLflow run of each model, and the stage's details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sequoia.evaluate.cost import COSTS
from sequoia.evaluate.summary import ALL, FULL, Metric
from sequoia.road.stage import Context
from sequoia.tracking.connection import connect
from sequoia.tracking.runs import existing_run, metric_key


def write_metrics(context: Context, metrics: Sequence[Metric], fingerprints: Mapping[str, str]) -> None:
    """Replace the metrics table; each row names the fingerprint of the model it measured."""
    rows = [
        {
            **vars(row.measured),
            "fingerprint": fingerprints[row.measured.model],
            "metric": row.metric,
            "value": row.value,
            "low": row.low,
            "high": row.high,
            "users": row.users,
        }
        for row in metrics
    ]
    context.tables.replace_rows("metrics", rows)


def log_test_metrics(context: Context, metrics: Sequence[Metric], runs: Mapping[str, str]) -> None:
    """Add the test metrics, with their intervals, to the MLflow run of each trained model."""
    connection = connect(context.config)
    for name, run_id in runs.items():
        values = {}
        for row in metrics:
            if (row.measured.model, row.measured.split) != (name, "test"):
                continue
            part = row.measured.slice
            key = metric_key("test", row.metric, row.measured.protocol if part == ALL else part)
            values[key] = row.value
            if row.low is not None and row.high is not None:
                values |= {f"{key}_low": row.low, f"{key}_high": row.high}
        existing_run(connection, run_id).log_metrics(values)


def metrics_details(metrics: Sequence[Metric]) -> dict[str, Any]:
    """Return values by model and metric: `metrics` (test), `valid`, `sampled`, `slices` (test), `costs`."""
    details: dict[str, Any] = {"metrics": {}, "valid": {}, "sampled": {}, "slices": {}, "costs": {}}
    for row in metrics:
        measured = row.measured
        if row.metric in COSTS:
            details["costs"].setdefault(measured.model, {})[row.metric] = row.value
            continue
        if measured.slice != ALL:
            if measured.split != "test":
                continue
            group = details["slices"].setdefault(measured.slice, {})
        elif measured.protocol == FULL:
            group = details["metrics" if measured.split == "test" else "valid"]
        elif measured.split == "test":
            group = details["sampled"].setdefault(measured.protocol, {})
        else:
            continue
        values = {"value": row.value, "low": row.low, "high": row.high}
        group.setdefault(measured.model, {})[row.metric] = values
    return details
