"""What serving a model costs: time of one recommendation, bytes of its folder. Measured in a Spark worker.

There, because a model of many items has no place on the driver. One thread, one user a request, histories
of random items: the product with all items decides, not which ones.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

import numpy as np

from sequoia.buckets.shuffle import call_tasks
from sequoia.local_files import local_copy
from sequoia.modelling.histories import FIRST_ITEM_ROW, Histories
from sequoia.modelling.recommender import Recommender, open_recommender
from sequoia.road.stage import Context
from sequoia.storage import Location

REQUESTS, WARM_UP, MAX_SECONDS = 200, 20, 3.0
EVENTS, K = 20, 10
FILES = ("model.json", "weights.safetensors", "items.parquet")
COSTS = ("latency_p50_ms", "latency_p99_ms", "size_mib")


def measure_costs(
    context: Context, folders: Mapping[str, Location]
) -> dict[str, tuple[dict[str, float], int]]:
    """Return for each model {latency_p50_ms, latency_p99_ms, size_mib} and the number of requests timed."""
    # One after the other in one task: side by side they would slow each other down.
    (told,) = call_tasks(context.spark, [partial(_measure, dict(folders))])
    return {model: (costs, requests) for model, costs, requests in told}


def _measure(folders: Mapping[str, Location]) -> list[tuple[str, dict[str, float], int]]:
    found = []
    for name, location in folders.items():
        folder = local_copy(location)
        seconds = time_requests(open_recommender(folder))
        p50, p99 = (float(value) for value in np.quantile(seconds, [0.5, 0.99]) * 1000)
        size = sum((folder / file).stat().st_size for file in FILES) / 2**20
        found.append((name, dict(zip(COSTS, (p50, p99, size), strict=True)), len(seconds)))
    return found


def time_requests(recommender: Recommender) -> list[float]:
    """Return the seconds of single requests, as many as fit into three seconds, 200 at most."""
    random = np.random.default_rng(0)
    seconds: list[float] = []
    begin = time.perf_counter()
    for request in range(WARM_UP + REQUESTS):
        above = max(recommender.index.num_rows, FIRST_ITEM_ROW + 1)
        history = Histories.of([random.integers(FIRST_ITEM_ROW, above, size=EVENTS)])
        started = time.perf_counter()
        recommender.recommend(history, K)
        ended = time.perf_counter()
        if request >= WARM_UP or ended - begin > MAX_SECONDS:
            seconds.append(ended - started)
        if ended - begin > MAX_SECONDS:
            break
    return seconds
