"""Time the reader of the ingest stage on a file as it is, and with one bad line after every thousand.

    python tests/benchmarks/dirty_lines.py <reviews.json[.gz] or ratings.csv[.gz]> [rounds]

The bad lines are of five kinds in turn: cut, not UTF-8, another number of columns or no object, a text where
a number belongs, blank. As `read_lines.py`, on one core and to Parquet; beside it DuckDB, which drops them.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from read_lines import measure

EVERY = 1000


def bad_lines(line: bytes) -> list[bytes]:
    """Return five bad lines, made from a good one."""
    if line.startswith(b"{"):
        object_ = json.loads(line)
        worded = json.dumps({**object_, "overall": "five"}).encode()
        return [line[: len(line) // 2], line.replace(b'"', b'"\xff', 1), b"[1, 2]", worded, b""]
    item, user, _, seconds = line.split(b",")
    return [
        b",".join([item, user]),
        b"\xff" + line,
        line + b",1,2",
        b",".join([item, user, b"five", seconds]),
        b"",
    ]


def with_dirt(path: Path, dirty: Path) -> None:
    """Copy a file's lines, without compression, with a bad line after every thousand."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened, dirty.open("wb") as out:
        for number, line in enumerate(opened, start=1):
            out.write(line)
            if number % EVERY == 0:
                kinds = bad_lines(line.rstrip(b"\r\n"))
                out.write(kinds[number // EVERY % len(kinds)] + b"\n")


def main() -> None:
    """Measure the lines clean and dirty, and print both with the ratio."""
    path = Path(sys.argv[1]).absolute()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    name = path.name.removesuffix(".gz")
    with tempfile.TemporaryDirectory() as folder:
        clean, dirty = Path(folder) / name, Path(folder) / f"dirty-{name}"
        clean.write_bytes(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        with_dirt(path, dirty)
        found = {"clean": measure(clean, rounds), "dirty": measure(dirty, rounds)}
    rates = {key: value["rows_per_second"]["sequoia"] for key, value in found.items()}  # type: ignore[index]
    print(json.dumps({**found, "dirty_to_clean": round(rates["dirty"] / rates["clean"], 2)}, indent=1))


if __name__ == "__main__":
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    main()
