"""Time the fingerprint of a training table's content beside one full read of it.

    python tests/benchmarks/fingerprint_rows.py [rows, 1000000] [folder, a temporary one]

The rows have the shape of the training table: six arrays of 51 numbers, random below 100,000.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from sequoia.config import load_config
from sequoia.spark import spark_session
from sequoia.tables.content import content_fingerprint

WINDOW, FILES = 51, 8
TYPES = {
    "items": np.int32,
    "times": np.int64,
    "ratings": np.float32,
    "categories": np.int32,
    "brands": np.int32,
    "price_buckets": np.int32,
}


def main() -> None:
    """Write the table once, then time both."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        session = spark_session(load_config("demo.yaml").spark)
        written = write_rows(session, rows, Path(folder) / "training")
        print(f"{rows:,} rows, {size(Path(folder)) / 1e6:,.0f} MB of Parquet")
        for _ in range(2):
            timed("every value read (noop)", lambda: written.write.format("noop").mode("overwrite").save())
            timed("fingerprint", lambda: print(f"  {content_fingerprint(written)}"))
        session.stop()


def write_rows(session: SparkSession, rows: int, folder: Path) -> DataFrame:
    """Return a Parquet table of the training table's shape."""
    folder.mkdir()
    random = np.random.default_rng(7)
    for number in range(FILES):
        part = rows // FILES
        columns = {
            name: pa.ListArray.from_arrays(
                pa.array(np.arange(part + 1) * WINDOW, pa.int32()),
                pa.array(random.integers(0, 100_000, part * WINDOW).astype(kind)),
            )
            for name, kind in TYPES.items()
        }
        users = pa.array(np.arange(part) * FILES + number)
        pq.write_table(pa.table({"user_id": users, **columns}), folder / f"part-{number}.parquet")
    return session.read.parquet(str(folder))


def size(folder: Path) -> int:
    """Return the bytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def timed(name: str, work: Callable[[], object]) -> None:
    """Run and print the seconds."""
    started = time.perf_counter()
    work()
    print(f"{name}: {time.perf_counter() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
