"""The bronze tables: every line of the files that changed, beside the lines of those that did not."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame

from sequoia.ingest.event_tables import read_tables
from sequoia.ingest.inputs import BRONZE, Input
from sequoia.ingest.peek import peek
from sequoia.ingest.read_lines import Task, read_lines
from sequoia.ingest.recognise import check_header, header
from sequoia.road.stage import Context
from sequoia.tables.identifiers import literal
from sequoia.together import together


def write_bronze(context: Context, changed: list[Input], unchanged: list[Input]) -> None:
    """Replace the rows of all sources but the unchanged ones, one commit per table.

    Raises UserError when a file is not what it is taken for or is damaged; the rows stay as they were.
    """
    tasks = [_task(context, entry) for entry in changed if entry.file.kind == "lines"]
    events = [task for task in tasks if task.form != "metadata"]
    products = [task for task in tasks if task.form == "metadata"]
    tabular = [entry.file for entry in changed if entry.file.kind != "lines"]
    settings, tables = context.config.ingest, context.tables
    # Without this, Spark sorts all rows by source once more before it writes them.
    context.spark.conf.set("spark.sql.maxConcurrentOutputFileWriters", "16")
    frames = (
        [read_lines(context.spark, events, settings, tables.schema("events"))]
        if events or not tabular
        else []
    )
    frames += read_tables(context.spark, tabular, settings) if tabular else []
    rest = _all_but(unchanged)
    lines = read_lines(context.spark, products, settings, tables.schema("products"))
    before = _versions(context)
    try:
        together(
            lambda: tables.overwrite("events", reduce(DataFrame.unionByName, frames), where=rest),
            lambda: tables.overwrite("products", lines, where=rest),
        )
    except Exception:
        _take_back(context, before)
        raise


def _versions(context: Context) -> dict[str, int]:
    """Return the bronze tables' versions; 0 is an empty table, as good as none."""
    tables = context.tables
    return {table: tables.version(table) if tables.exists(table) else 0 for table in BRONZE}


def _take_back(context: Context, before: dict[str, int]) -> None:
    """Undo the commit of one table when that of the other failed, as damage shows only at a file's end."""
    for table, version in _versions(context).items():
        if version != before[table]:
            context.tables.restore(table, before[table])


def _task(context: Context, entry: Input) -> Task:
    settings = context.config.ingest
    names = header(entry.file, settings) if entry.form == "events" else None
    if names is not None:
        check_header(entry.file.path, names, settings.columns)
    peek(entry.file, entry.form, settings, names)
    return Task(file=entry.file, form=entry.form, header=names)


def _all_but(unchanged: list[Input]) -> str | None:
    if not unchanged:
        return None
    return f"source NOT IN ({', '.join(literal(entry.file.source) for entry in unchanged)})"
