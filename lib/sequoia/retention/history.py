"""Old versions of tables: their files go by Delta's own VACUUM, never below the week that Delta asks for."""

from __future__ import annotations

from functools import partial

from pyspark.sql import functions as F

from sequoia.retention.removal import Removal
from sequoia.road.stage import Context
from sequoia.tables.contracts import table_names

LISTED = 1000  # VACUUM names no more files than this


def old_history(context: Context) -> list[Removal]:
    """Return the tables with files that only versions older than retention.history_days need.

    VACUUM names the first thousand of a table; the bytes are theirs. Those of a catalog's table are not
    known: only the catalog may open its files.
    """
    hours = 24 * context.config.retention.history_days
    found = [_history(context, table, hours) for table in table_names() if context.tables.exists(table)]
    return [removal for removal in found if removal]


def _history(context: Context, table: str, hours: int) -> Removal | None:
    paths = [row["path"] for row in context.spark.sql(f"{_vacuum(context, table, hours)} DRY RUN").collect()]
    if not paths:
        return None
    more = " or more" if len(paths) >= LISTED else ""
    return Removal(
        kind="table history",
        name=f"{table}, {len(paths)}{more} files",
        age_days=hours / 24,
        size=None if context.tables.in_catalog else _bytes(context, paths),
        remove=partial(context.spark.sql, _vacuum(context, table, hours)),
    )


def _vacuum(context: Context, table: str, hours: int) -> str:
    return f"VACUUM {context.tables.identifier(table)} RETAIN {int(hours)} HOURS"


def _bytes(context: Context, paths: list[str]) -> int:
    """Ask Spark, as the files may be on any storage; folders are among the paths and have no bytes."""
    files = [path for path in paths if path.endswith(".parquet")]
    if not files:
        return 0
    listed = context.spark.read.format("binaryFile").load(files)
    total = listed.agg(F.sum("length")).first()
    return int(total[0] or 0) if total else 0
