"""Time raw lines to Parquet on one core, sequoia's reader beside DuckDB's, and print the ratio.

    python tests/benchmarks/read_lines.py <reviews.json[.gz] or ratings.csv[.gz]> [rounds]

Both write user, item, time, rating, verified and votes as zstd Parquet. sequoia also checks every value,
numbers every line and keeps what cannot be used with its reason; DuckDB drops lines that it cannot read.
Rounds alternate, medians count, the file is read once before so that both find it in memory.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.config import load_config
from sequoia.ingest.bronze_rows import rows_of
from sequoia.ingest.files.chunks import Chunk
from sequoia.ingest.files.find import raw_file
from sequoia.ingest.files.recognise import recognise
from sequoia.storage import entries

JSON_COLUMNS = {
    "reviewerID": "VARCHAR",
    "asin": "VARCHAR",
    "unixReviewTime": "BIGINT",
    "overall": "FLOAT",
    "verified": "BOOLEAN",
    "vote": "VARCHAR",
}
JSON_QUERY = (
    "SELECT reviewerID AS user, asin AS item, unixReviewTime * 1000 AS time, overall AS rating, verified, "
    "TRY_CAST(replace(vote, ',', '') AS INTEGER) AS votes FROM read_json($path, "
    f"format = 'newline_delimited', ignore_errors = true, columns = {JSON_COLUMNS})"
)
CSV_COLUMNS = {"item": "VARCHAR", "user": "VARCHAR", "rating": "FLOAT", "time": "BIGINT"}
CSV_QUERY = (
    "SELECT user, item, time * 1000 AS time, rating, NULL::BOOLEAN AS verified, NULL::INTEGER AS votes "
    "FROM read_csv($path, auto_detect = false, delim = ',', quote = '', strict_mode = false, "
    f"ignore_errors = true, columns = {CSV_COLUMNS})"
)


def with_sequoia(path: Path, out: Path) -> int:
    """Read the file with the reader of the ingest stage; return the number of rows."""
    settings = load_config().ingest
    file = raw_file(entries(path)[0], path.parent)
    form = recognise(file, settings)
    assert form in ("reviews", "ratings"), f"{path} is taken for {form}: name reviews or a ratings CSV"
    rows = 0
    writer: pq.ParquetWriter | None = None
    for table in rows_of(Chunk(file=file, form=form, fingerprint=""), settings):
        writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))
        rows += len(table)
    assert writer is not None, f"{path} is empty"
    writer.close()
    return rows


def with_duckdb(path: Path, out: Path) -> int:
    """Read the same columns with DuckDB on one thread; return the number of rows."""
    query = CSV_QUERY if ".csv" in path.name else JSON_QUERY
    with duckdb.connect(config={"threads": 1}) as connection:
        query = query.replace("$path", f"'{path}'")
        copied = connection.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
        row = copied.fetchone()
    assert row is not None
    return int(row[0])


def measure(path: Path, rounds: int) -> dict[str, object]:
    """Return rows, median seconds and rows per second of both, and how much faster sequoia is."""
    readers: dict[str, Callable[[Path, Path], int]] = {"sequoia": with_sequoia, "duckdb": with_duckdb}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    rows: dict[str, int] = {}
    path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, read in readers.items():
                started = time.perf_counter()
                rows[name] = read(path, Path(folder) / f"{name}.parquet")
                seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "rows": rows,
        "seconds": {name: round(value, 3) for name, value in medians.items()},
        "rows_per_second": {name: round(rows[name] / value) for name, value in medians.items()},
        "times_as_fast_as_duckdb": round(medians["duckdb"] / medians["sequoia"], 2),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one used",
        "versions": {"duckdb": duckdb.__version__, "pyarrow": pa.__version__},
    }


if __name__ == "__main__":
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(json.dumps(measure(Path(sys.argv[1]).absolute(), rounds), indent=1))
