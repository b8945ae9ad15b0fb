"""What serving a model costs: time of one recommendation, bytes of its folder. Measured in a Spark worker.

There, because a model of many items has no place on the driver. One thread, one user a request, histories
of random items: the product with all items decides, not which ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from sequoia.evaluate.ranking import FIRST_ITEM_ROW
from sequoia.local_files import local_copy
from sequoia.recommend.served_model import ServedModel, open_served_model
from sequoia.road.stage import Context
from sequoia.storage import Location

REQUESTS, WARM_UP, MAX_SECONDS = 200, 20, 3.0
EVENTS, K = 20, 10
FILES = ("model.json", "weights.safetensors", "items.parquet")
COSTS = ("latency_p50_ms", "latency_p99_ms", "size_mib")
SCHEMA = "model STRING, latency_p50_ms DOUBLE, latency_p99_ms DOUBLE, size_mib DOUBLE, requests BIGINT"


def measure_costs(
    context: Context, folders: Mapping[str, Location]
) -> dict[str, tuple[dict[str, float], int]]:
    """Return for each model {latency_p50_ms, latency_p99_ms, size_mib} and the number of requests timed."""
    one_task = context.spark.range(1).repartition(1)
    rows = one_task.mapInArrow(_measuring_function(folders), SCHEMA).collect()  # one per model
    return {row["model"]: ({name: row[name] for name in COSTS}, row["requests"]) for row in rows}


def _measuring_function(
    folders: Mapping[str, Location],
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def measure(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            for name, location in folders.items():
                folder = local_copy(location)
                seconds = time_requests(open_served_model(folder))
                p50, p99 = (float(value) for value in np.quantile(seconds, [0.5, 0.99]) * 1000)
                size = sum((folder / file).stat().st_size for file in FILES) / 2**20
                columns = [[name], [p50], [p99], [size], [len(seconds)]]
                yield pa.RecordBatch.from_arrays(
                    [pa.array(column) for column in columns], ["model", *COSTS, "requests"]
                )

    return measure


def time_requests(model: ServedModel) -> list[float]:
    """Return the seconds of single requests, as many as fit into three seconds, 200 at most."""
    random = np.random.default_rng(0)
    seconds: list[float] = []
    begin = time.perf_counter()
    for request in range(WARM_UP + REQUESTS):
        history = random.integers(FIRST_ITEM_ROW, max(model.num_rows, FIRST_ITEM_ROW + 1), size=EVENTS)
        started = time.perf_counter()
        model.recommend([history], K)
        ended = time.perf_counter()
        if request >= WARM_UP or ended - begin > MAX_SECONDS:
            seconds.append(ended - started)
        if ended - begin > MAX_SECONDS:
            break
    return seconds
