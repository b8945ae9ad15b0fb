"""Stands in for the evaluate stage: ranks and metrics of models written by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.publish import write_metrics
from sequoia.evaluate.summary import (
    FULL,
    Measured,
    Metric,
    Slices,
    count_ranks,
    metric_rows,
    plain_metrics,
)
from sequoia.modelling.trained import read_trained
from sequoia.road.stage import Context

USERS = 2000
NUM_ITEMS = 30
# Ranks of the users: GOOD hits for every second user where POOR hits for every fourth.
GOOD = np.where(np.arange(USERS) % 2 == 0, 1, 50)
POOR = np.where(np.arange(USERS) % 4 == 0, 1, 50)
COSTS = {"latency_p50_ms": 1.0, "latency_p99_ms": 2.0, "size_mib": 1.0}
SLICES = Slices(new_user_events=5, cold_item_events=5)

# The same ranks come again in many tests and have the same metrics, for which counting takes a while.
_MEASURED: dict[tuple[tuple[str, bytes], ...], list[Metric]] = {}


def evaluated(
    context: Context,
    *,
    mark: str | None = None,
    leaked: dict[str, NDArray[np.bool_]] | None = None,
    untold: tuple[str, ...] = (),
    **ranks: NDArray[np.int64],
) -> None:
    """Write these ranks for both splits, each user recommended another item.

    mark: the champion's fingerprint. leaked: the users whose test target a model was trained on. untold:
    models of which that cannot be told.
    """
    was_trained_on = {model: (leaked or {}).get(model, np.zeros(USERS, dtype=bool)) for model in ranks}
    rows = [
        (
            *(model, split, user + 2, 1, 2, int(rank), None, None, [2 + user % NUM_ITEMS]),
            *(user % 20, user % 10, 0.5, None),
            None if split == "test" and model in untold else split == "test" and bool(hit),
        )
        for model, values in ranks.items()
        for split in ("valid", "test")
        for user, (rank, hit) in enumerate(zip(values, was_trained_on[model], strict=True))
    ]
    context.tables.overwrite("ranks", context.spark.createDataFrame(rows, context.tables.schema("ranks")))
    key = tuple((model, values.tobytes()) for model, values in ranks.items())
    if key not in _MEASURED:
        _MEASURED[key] = measure(context, list(ranks))
    metrics = _MEASURED[key][:]
    for model in ranks:
        metrics += plain_metrics(Measured(model=model, split="test", protocol=FULL), COSTS, 100)
    marks = {name: model.fingerprint for name, model in read_trained(context.config.workspace_path).items()}
    write_metrics(context, metrics, marks | ({"champion": mark} if mark else {}))


def measure(context: Context, models: list[str]) -> list[Metric]:
    """Return the metrics of these models' ranks, as the evaluate stage does."""
    bootstrap = Bootstrap(samples=200, confidence=0.95, seed=1)
    return metric_rows(count_ranks(context, models, SLICES), NUM_ITEMS, bootstrap)
