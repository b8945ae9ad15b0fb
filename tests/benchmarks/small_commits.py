"""Time a line of the diary: written by Spark, and with the package deltalake as sequoia does it.

    python tests/benchmarks/small_commits.py [lines, 20]

Both write to the same table, one after the other; of each the first three lines are not counted.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sequoia.config import load_config
from sequoia.road.stage import Context

UNCOUNTED = 3
LINE = {
    "run_id": "r",
    "stage": "train",
    "status": "done",
    "finished": datetime.now(UTC),
    "seconds": 1.0,
    "details": "{}",
    "settings_hash": "h",
    "reads": {"training": 1},
    "writes": {"cooccurrences": 2},
}


def main() -> None:
    """Write the lines both ways and print the medians."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        context = Context(load_config("demo.yaml", [f"workspace={folder}"]))
        tables, schema = context.tables, context.tables.schema("stage_runs")
        line = dict.fromkeys(schema.names) | LINE
        tables.add_rows("stage_runs", [line])
        ours = _median(count, lambda: tables.add_rows("stage_runs", [line]))
        spark = _median(
            count,
            lambda: tables.append("stage_runs", context.spark.createDataFrame([line], schema).coalesce(1)),
        )
    print(json.dumps({"deltalake_ms": ours, "spark_ms": spark, "ratio": spark / ours}))


def _median(count: int, write: Callable[[], object]) -> float:
    times = []
    for _ in range(count + UNCOUNTED):
        started = time.perf_counter()
        write()
        times.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(times[UNCOUNTED:]), 1)


if __name__ == "__main__":
    main()
