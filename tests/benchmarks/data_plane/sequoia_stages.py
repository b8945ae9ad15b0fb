"""Run stages of the road in a started Spark session; print of each a line of JSON, and one of all counts.

python tests/benchmarks/data_plane/sequoia_stages.py <ingest,index,...> <section.key=value> ...
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from sequoia.config import load_config
from sequoia.road.stage import Context, StageResult
from sequoia.road.walk import run_named


def main() -> None:
    """Run the stages, each from what the one before wrote."""
    context = Context(load_config(overrides=sys.argv[2:]))
    _ = context.spark
    results: dict[str, StageResult] = {}
    _say({"step": "start"})
    spilled = 0
    for name in sys.argv[1].split(","):
        started = time.perf_counter()
        results[name] = run_named(name, context)
        seconds, before, spilled = time.perf_counter() - started, spilled, _spilled(context)
        _say({"step": name, "seconds": seconds, "spill_gib": (spilled - before) / 2**30})
    _say({"counts": _counts(results), "kcore_s": _core_seconds(results)})


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _core_seconds(results: dict[str, StageResult]) -> float:
    return float(results["sequences"].details["seconds"]["kcore"]) if "sequences" in results else 0.0


def _counts(results: dict[str, StageResult]) -> dict[str, int]:
    counts = {"interactions": results["ingest"].details["interactions"]} if "ingest" in results else {}
    if "index" in results:
        active = results["index"].details["active"]
        counts |= {"users": active["users"], "items": active["items"]}
    if "sequences" in results:
        core = results["sequences"].details["kcore"]
        counts |= {"core_events": core["interactions"], "sequences": results["sequences"].rows_out}
    if "negatives" in results:
        counts["candidate_sets"] = results["negatives"].rows_out
    return counts


def _spilled(context: Context) -> int:
    """Return the bytes that Spark moved from memory to disk in all stages."""
    spark: Any = context.spark.sparkContext
    no_quantiles = spark._gateway.new_array(spark._jvm.double, 0)
    stages = spark._jsc.sc().statusStore().stageList(None, False, False, no_quantiles, None)
    return sum(int(stages.apply(at).diskBytesSpilled()) for at in range(stages.size()))


if __name__ == "__main__":
    main()
