"""The same steps by RePlay on Spark with two threads; print of each a line of JSON, and one of all counts.

    <python with replay-rec[spark]> tests/benchmarks/data_plane/replay_steps.py <raw folder> <out folder> csv

RePlay has the index (its LabelEncoder keeps the names of all users and items on the driver) and the iterated
core; reading, duplicates and the lists are written as its examples write them, in Spark's own terms.
As duckdb_steps.py: ours write more in the same steps.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from replay.preprocessing import LabelEncoder, LabelEncodingRule
from replay.preprocessing.filters import InteractionEntriesFilter
from replay.utils.session_handler import State

LINE = "item string, user string, rating float, time bigint"
MEMORY = "12g"
MINIMUM = 5


class Plane:
    """One session, whose steps build on each other's files."""

    def __init__(self, spark: SparkSession, raw: Path, out: Path) -> None:
        self._spark, self._raw, self._out = spark, raw, out
        self._names = LabelEncoder([LabelEncodingRule("user"), LabelEncodingRule("item")])

    def _read(self, name: str) -> DataFrame:
        return self._spark.read.parquet(str(self._out / name))

    def _write(self, rows: DataFrame, name: str) -> None:
        rows.write.parquet(str(self._out / name))

    def ingest(self) -> None:
        """Raw lines to Parquet, one row of each (user, item, time)."""
        lines = self._spark.read.csv(str(self._raw / "*.csv"), schema=LINE, mode="DROPMALFORMED", quote="")
        usable = F.col("rating").between(1, 5) & F.col("time").between(788918400, 1800000000)
        usable &= (F.col("user") != "") & (F.col("item") != "")
        one = lines.where(usable).groupBy("item", "user", "time").agg(F.max("rating").alias("rating"))
        self._write(one, "interactions")

    def index(self) -> None:
        """Number users and items."""
        self._names.fit(self._read("interactions"))

    def encode(self) -> None:
        """Numbers instead of names."""
        self._write(self._names.transform(self._read("interactions")), "events")

    def kcore(self) -> None:
        """Leave out users and items of fewer than five events until none are left."""
        core = InteractionEntriesFilter(
            "user", "item", min_inter_per_user=MINIMUM, min_inter_per_item=MINIMUM
        )
        self._write(core.transform(self._read("events")), "core")

    def sequences(self) -> None:
        """The events of a user as lists in the order of time."""
        events = F.sort_array(F.collect_list(F.struct("time", F.xxhash64("item").alias("tie"), "item")))
        lists = [F.col(f"events.{name}").alias(f"{name}s") for name in ("item", "time")]
        rows = self._read("core").groupBy("user").agg(events.alias("events")).select("user", *lists)
        self._write(rows, "sequences")

    def counts(self) -> dict[str, int]:
        """Return what the steps wrote."""
        tables = {"interactions": "interactions", "core_events": "core", "sequences": "sequences"}
        keys = {f"{key}s": len(self._names.mapping[key]) for key in ("user", "item")}
        return keys | {count: self._read(table).count() for count, table in tables.items()}


def timed(name: str, step: Callable[[], None]) -> None:
    """Run a step and say its seconds."""
    started = time.perf_counter()
    step()
    print(json.dumps({"step": name, "seconds": time.perf_counter() - started}), flush=True)


def main() -> None:
    """Run the steps in a started session."""
    out = Path(sys.argv[2])
    out.mkdir(parents=True)
    settings = {
        "spark.driver.memory": MEMORY,
        "spark.driver.maxResultSize": "0",
        "spark.local.dir": str(out / "spark"),
        "spark.sql.shuffle.partitions": "8",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.parquet.compression.codec": "zstd",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = State(builder.getOrCreate()).session
    spark.sparkContext.setLogLevel("ERROR")
    plane = Plane(spark, Path(sys.argv[1]), out)
    for step in (plane.ingest, plane.index, plane.encode, plane.kcore, plane.sequences):
        timed(step.__name__, step)
    print(json.dumps({"counts": plane.counts()}))


if __name__ == "__main__":
    main()
