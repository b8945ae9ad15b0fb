"""The same steps in DuckDB on two threads; print of each a line of JSON, and one of all counts.

    python tests/benchmarks/data_plane/duckdb_steps.py <raw folder> <out folder> <csv or json>

Files to Parquet without duplicates, ids, the iterated 5-core, and the sequences by time.
Ours write more in the same steps: accounts of every line, both splits, sessions, a vocabulary, training rows.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

MEMORY = "12GB"
CSV = (
    "read_csv('{raw}/*.csv', header = false, auto_detect = false, delim = ',', quote = '', "
    "strict_mode = false, ignore_errors = true, "
    "columns = {{'item': 'VARCHAR', 'user': 'VARCHAR', 'rating': 'FLOAT', 'time': 'BIGINT'}})"
)
JSON = (
    "(SELECT asin AS item, reviewerID AS user, overall AS rating, unixReviewTime AS time, verified, "
    "coalesce(helpful[1], TRY_CAST(replace(vote, ',', '') AS INT), 0) AS votes FROM "
    "read_json('{raw}/*.json.gz', format = 'newline_delimited', ignore_errors = true, "
    "maximum_object_size = 4194304, columns = {{'asin': 'VARCHAR', 'reviewerID': 'VARCHAR', "
    "'overall': 'FLOAT', 'unixReviewTime': 'BIGINT', 'verified': 'BOOLEAN', 'vote': 'VARCHAR', "
    "'helpful': 'INTEGER[]'}}))"
)
# What no reader could use is left out; sequoia says of each such line why.
USABLE = "rating BETWEEN 1 AND 5 AND time BETWEEN 788918400 AND 1800000000 AND user <> '' AND item <> ''"


class Plane:
    """One connection, whose steps build on each other."""

    def __init__(self, raw: Path, out: Path, form: str) -> None:
        out.mkdir(parents=True)
        self._source = {"csv": CSV, "json": JSON}[form].format(raw=raw)
        self._more = {"csv": "", "json": ", max(verified) AS verified, max(votes) AS votes"}[form]
        self._events, self._out = f"'{out}/interactions.parquet'", out
        self._run = duckdb.connect(out / "plane.db")
        self._run.execute(
            f"SET threads = 2; SET memory_limit = '{MEMORY}'; SET temp_directory = '{out}/spill'"
        )
        self._run.execute("SET preserve_insertion_order = false")

    def timed(self, name: str, step: Callable[[], None]) -> None:
        """Run a step and say its seconds."""
        started = time.perf_counter()
        step()
        print(json.dumps({"step": name, "seconds": time.perf_counter() - started}), flush=True)

    def ingest(self) -> None:
        """Raw lines to Parquet, one row of each (user, item, time)."""
        self._run.execute(
            f"COPY (SELECT item, user, time, max(rating) AS rating{self._more} FROM {self._source} "
            f"WHERE {USABLE} GROUP BY item, user, time) TO {self._events} (FORMAT parquet, COMPRESSION zstd)"
        )

    def index(self) -> None:
        """Number users and items by how often they occur."""
        for key in ("user", "item"):
            self._run.execute(
                f"CREATE TABLE {key}s AS SELECT {key}, row_number() OVER (ORDER BY n DESC, {key}) AS id "
                f"FROM (SELECT {key}, count(*) AS n FROM {self._events} GROUP BY {key})"
            )

    def encode(self) -> None:
        """Numbers instead of names."""
        self._run.execute(
            "CREATE TABLE events AS SELECT users.id::INT AS user, items.id::INT AS item, time, rating "
            f"FROM {self._events} AS e JOIN users USING (user) JOIN items USING (item)"
        )

    def core(self) -> None:
        """Leave out users and items of fewer than five events until none are left."""
        self._run.execute("CREATE TABLE core AS SELECT user, item FROM events")
        before = -1
        while (now := self._count("core")) != before:
            before = now
            users, items = (f"{key} IN (SELECT {key} FROM core GROUP BY {key} HAVING count(*) >= 5)"
                            for key in ("user", "item"))  # fmt: skip
            self._run.execute(f"CREATE OR REPLACE TABLE core AS SELECT * FROM core WHERE {users} AND {items}")

    def sequences(self) -> None:
        """The events of a user as lists in the order of time."""
        self._run.execute(
            "COPY (SELECT user, list(item ORDER BY time, hash(item)) AS items, list(time ORDER BY time, "
            "hash(item)) AS times FROM events SEMI JOIN core USING (user, item) GROUP BY user) "
            f"TO '{self._out}/sequences.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )

    def counts(self) -> dict[str, int]:
        """Return what the steps wrote."""
        names = {"interactions": self._events, "users": "users", "items": "items"}
        counts = {name: self._count(table) for name, table in names.items()}
        kept = "(SELECT * FROM events SEMI JOIN core USING (user, item))"
        return counts | {
            "core_events": self._count(kept), "sequences": self._count(f"'{self._out}/sequences.parquet'")
        }  # fmt: skip

    def count_events(self) -> dict[str, int]:
        """Return the rows after the first step."""
        return {"interactions": self._count(self._events)}

    def _count(self, table: str) -> int:
        row = self._run.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])


def main() -> None:
    """Run the steps; of JSON the first alone."""
    plane = Plane(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    plane.timed("ingest", plane.ingest)
    if sys.argv[3] == "csv":
        plane.timed("index", plane.index)
        plane.timed("encode", plane.encode)
        plane.timed("kcore", plane.core)
        plane.timed("sequences", plane.sequences)
    counts = plane.counts() if sys.argv[3] == "csv" else plane.count_events()
    print(json.dumps({"counts": counts}))


if __name__ == "__main__":
    main()
