"""Old versions of tables: their files go by Delta's own VACUUM, never below the week that Delta asks for."""

from __future__ import annotations

from pyspark.sql import functions as F

from sequoia.retention.removal import Removal
from sequoia.road.stage import Context
from sequoia.tables.contracts import table_names

LISTED = 1000  # VACUUM names no more files than this


def old_history(context: Context) -> list[Removal]:
    """Return the tables with files that only versions older than retention.history_days need.

    Of a table elsewhere than on this machine, VACUUM names the first thousand files; the bytes are theirs.
    Those of a catalog's table are not known: only the catalog may open its files.
    """
    hours = 24 * context.config.retention.history_days
    found = [_history(context, table, hours) for table in table_names() if context.tables.exists(table)]
    return [removal for removal in found if removal]


def _history(context: Context, table: str, hours: int) -> Removal | None:
    vacuum = f"VACUUM {context.tables.identifier(table)} RETAIN {int(hours)} HOURS"
    found = context.tables.old_files(table, hours)
    if found is None:
        count, size = _ask_spark(context, f"{vacuum} DRY RUN")
    else:
        count, size = len(found), sum(path.stat().st_size for path in found)
    more = " or more" if found is None and count >= LISTED else ""
    if not count:
        return None
    return Removal(
        kind="table history",
        name=f"{table}, {count}{more} files",
        age_days=hours / 24,
        size=size,
        remove=lambda: context.spark.sql(vacuum),
    )


def _ask_spark(context: Context, vacuum: str) -> tuple[int, int | None]:
    """Return how many files would go, and their bytes where the table is in a folder."""
    paths = [row["path"] for row in context.spark.sql(vacuum).collect()]  # one per file
    return len(paths), None if context.tables.in_catalog else _bytes(context, paths)


def _bytes(context: Context, paths: list[str]) -> int:
    """Ask Spark, as the files may be on any storage; folders are among the paths and have no bytes."""
    files = [path for path in paths if path.endswith(".parquet")]
    if not files:
        return 0
    listed = context.spark.read.format("binaryFile").load(files)
    total = listed.agg(F.sum("length")).first()
    return int(total[0] or 0) if total else 0
