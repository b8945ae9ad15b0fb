"""An event log that is a table or view of a catalog: copied below the workspace and read there.

Only the catalog may open the files of such a table, and a row of a view lies in no file. The copy holds the
configured columns; of a table without versions (a view, a Hive table) every run takes a new one.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from sequoia.errors import UserError
from sequoia.ingest.files.recognise import check_header
from sequoia.ingest.settings import EventColumns
from sequoia.road.stage import Context
from sequoia.storage import Location, locate, remove, spark_uri
from sequoia.tables.identifiers import parts, quoted


def copy_if_table(context: Context, raw: str) -> Location | None:
    """Return the folder around the copy when raw names a table, None when it is a path.

    Raises UserError for a table in back-ticks that does not exist, or one without a configured column.
    """
    name = find_table(context, raw)
    return None if name is None else _copy(context, name, quoted(*name))


def find_table(context: Context, raw: str) -> tuple[str, ...] | None:
    """Return the parts of the name when raw names a table, None when it is a path.

    A path that exists is a path; back-ticks always mean a table, and one that does not exist is a UserError.
    """
    name = _table_name(raw)
    if name is None or ("`" not in raw and locate(raw).exists()):
        return None
    identifier = quoted(*name)
    if not _exists(context.spark, identifier):
        if "`" in raw:
            raise UserError(f"ingest.raw = {raw} is no table here: name one, or a path without back-ticks")
        return None
    return name


def _table_name(raw: str) -> tuple[str, ...] | None:
    if "/" in re.sub(r"`[^`]*`", "", raw):
        return None
    try:
        name = parts(raw)
    except UserError:
        return None
    return name if 2 <= len(name) <= 3 else None


def _exists(spark: SparkSession, identifier: str) -> bool:
    try:
        return spark.catalog.tableExists(identifier)
    except AnalysisException:  # the catalog is unknown
        return False


def describe_table(context: Context, name: tuple[str, ...]) -> str:
    """Return what a run would read of a table, in words; the columns must be there."""
    identifier = quoted(*name)
    check_header(identifier, context.spark.table(identifier).columns, context.config.ingest.columns)
    version = _version(context.spark, identifier)
    if version is None:
        return f"table {identifier}, which has no versions: copied anew by every run"
    rows = context.spark.sql(f"SELECT count(*) FROM {identifier} VERSION AS OF {version}").first()
    assert rows is not None, "count(*) always has a row"
    return f"table {identifier}, version {version}, {rows[0]:,} rows"


def _copy(context: Context, name: tuple[str, ...], identifier: str) -> Location:
    columns = context.config.ingest.columns
    version = _version(context.spark, identifier)
    pinned = identifier if version is None else f"{identifier} VERSION AS OF {version}"
    frame = context.spark.sql(f"SELECT * FROM {pinned}")
    check_header(identifier, frame.columns, columns)
    shelf = context.config.workspace_path / "snapshots" / "raw"
    mark = hashlib.sha256(f"{identifier} {columns.model_dump_json()}".encode()).hexdigest()[:16]
    folder = shelf / f"{mark}-{uuid.uuid4().hex[:12] if version is None else version}"
    copy = folder / re.sub(r"[^\w.-]", "_", ".".join(name))
    if not (copy / "_SUCCESS").is_file():
        _forget(shelf, mark)
        context.say(f"copying {identifier}")
        frame.select(*_wanted(columns)).write.mode("overwrite").parquet(spark_uri(copy))
    return folder


def _wanted(columns: EventColumns) -> list[str]:
    names = (columns.user, columns.item, columns.time, columns.rating)
    return [quoted(name) for name in dict.fromkeys(filter(None, names))]


def _version(spark: SparkSession, identifier: str) -> int | None:
    """Return the newest version of a Delta table; None for what has no versions."""
    try:
        newest = spark.sql(f"DESCRIBE HISTORY {identifier} LIMIT 1").first()
    except AnalysisException:
        return None
    return None if newest is None else int(newest["version"])


def _forget(shelf: Location, mark: str) -> None:
    if shelf.exists():
        for old in shelf.iterdir():
            if old.name.startswith(f"{mark}-"):
                remove(old)
