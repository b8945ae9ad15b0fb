"""Time the copy of a Delta table with and without DataFusion Comet: the one query on large tables left.

    python tests/benchmarks/copy_with_comet.py <ratings.csv or a folder of them> <new folder>

A table of a catalog that is an event log is copied below the workspace by Spark (`ingest/named_table.py`).
Each of the two runs in a session of its own and copies three times, the first while Java is cold.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

from pyspark.sql import SparkSession

LINE = "item string, user string, rating float, time bigint"
SPARK = {
    "spark.driver.memory": "4g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.parquet.compression.codec": "zstd",
}
COMET = {
    "spark.jars.packages": "org.apache.datafusion:comet-spark-spark3.5_2.12:0.12.0",
    "spark.plugins": "org.apache.spark.CometPlugin",
    "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
    "spark.memory.offHeap.enabled": "true",
    "spark.memory.offHeap.size": "4g",
    "spark.comet.sparkToColumnar.enabled": "true",
}


def session(settings: dict[str, str]) -> SparkSession:
    """Start Spark on two threads."""
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def copy(kind: str, folder: str) -> None:
    """Copy the table three times and print the seconds of each."""
    spark = session(SPARK | (COMET if kind == "comet" else {}))
    for _ in range(3):
        shutil.rmtree(f"{folder}/copy", ignore_errors=True)
        started = time.perf_counter()
        rows = spark.read.format("delta").load(f"{folder}/table").select("user", "item", "time", "rating")
        rows.write.parquet(f"{folder}/copy")
        print(json.dumps({"kind": kind, "seconds": round(time.perf_counter() - started, 2)}), flush=True)


def main() -> None:
    """Make the table, then have each kind copy it in a process of its own, twice in turn."""
    if sys.argv[1] == "--copy":
        copy(sys.argv[2], sys.argv[3])
        return
    raw, folder = sys.argv[1:]
    session(SPARK).read.csv(raw, schema=LINE).write.format("delta").save(f"{folder}/table")
    for kind in ("plain", "comet", "plain", "comet"):
        subprocess.run([sys.executable, __file__, "--copy", kind, folder], check=True)


if __name__ == "__main__":
    main()
