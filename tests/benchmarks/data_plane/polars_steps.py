"""The same steps in polars on two threads; print of each a line of JSON, and one of all counts.

    python tests/benchmarks/data_plane/polars_steps.py <raw folder> <out folder> csv

As duckdb_steps.py: ours write more in the same steps.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "2"

import polars as pl

COLUMNS = {"item": pl.String, "user": pl.String, "rating": pl.Float32, "time": pl.Int64}
MINIMUM = 5


class Plane:
    """The files of one run, which the steps build on."""

    def __init__(self, raw: Path, out: Path) -> None:
        out.mkdir(parents=True)
        self._raw, self._out = raw, out

    def _file(self, name: str) -> Path:
        return self._out / f"{name}.parquet"

    def _scan(self, name: str) -> pl.LazyFrame:
        return pl.scan_parquet(self._file(name))

    def _sink(self, rows: pl.LazyFrame, name: str) -> None:
        rows.sink_parquet(self._file(name), compression="zstd", compression_level=1)

    def ingest(self) -> None:
        """Raw lines to Parquet, one row of each (user, item, time)."""
        lines = pl.scan_csv(
            self._raw / "*.csv", has_header=False, schema=COLUMNS, quote_char=None, ignore_errors=True
        )
        usable = pl.col("rating").is_between(1, 5) & pl.col("time").is_between(788918400, 1800000000)
        usable &= (pl.col("user") != "") & (pl.col("item") != "")
        one = lines.filter(usable).group_by("item", "user", "time").agg(pl.col("rating").max())
        self._sink(one, "interactions")

    def index(self) -> None:
        """Number users and items by how often they occur."""
        for key in ("user", "item"):
            counts = (
                self._scan("interactions").group_by(key).len().sort(["len", key], descending=[True, False])
            )
            self._sink(counts.with_row_index("id", 1).select(key, "id"), f"{key}s")

    def encode(self) -> None:
        """Numbers instead of names."""
        rows = self._scan("interactions")
        for key in ("user", "item"):
            rows = rows.join(self._scan(f"{key}s"), on=key).drop(key).rename({"id": key})
        self._sink(rows, "events")

    def kcore(self) -> None:
        """Leave out users and items of fewer than five events until none are left."""
        core, before = self._scan("events").select("user", "item").collect(engine="streaming"), -1
        while len(core) != before:
            before = len(core)
            enough = [pl.len().over(key) >= MINIMUM for key in ("user", "item")]
            core = core.filter(*enough)
        core.write_parquet(self._file("core"))

    def sequences(self) -> None:
        """The events of a user as lists in the order of time."""
        order = pl.struct("time", pl.col("item").hash())
        lists = [pl.col(name).sort_by(order).alias(f"{name}s") for name in ("item", "time")]
        self._sink(self._kept().group_by("user").agg(lists), "sequences")

    def _kept(self) -> pl.LazyFrame:
        return self._scan("events").join(self._scan("core").unique(), on=["user", "item"], how="semi")

    def counts(self) -> dict[str, int]:
        """Return what the steps wrote."""
        tables = ("interactions", "users", "items", "sequences")
        counts = {name: int(self._scan(name).select(pl.len()).collect().item()) for name in tables}
        return counts | {"core_events": int(self._kept().select(pl.len()).collect(engine="streaming").item())}


def timed(name: str, step: Callable[[], None]) -> None:
    """Run a step and say its seconds."""
    started = time.perf_counter()
    step()
    print(json.dumps({"step": name, "seconds": time.perf_counter() - started}), flush=True)


def main() -> None:
    """Run the steps."""
    plane = Plane(Path(sys.argv[1]), Path(sys.argv[2]))
    for step in (plane.ingest, plane.index, plane.encode, plane.kcore, plane.sequences):
        timed(step.__name__, step)
    print(json.dumps({"counts": plane.counts()}))


if __name__ == "__main__":
    main()
