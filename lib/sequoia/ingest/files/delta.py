"""The files of a Delta table that is an event log: only its log knows which of those in the folder count."""

from __future__ import annotations

from pyspark.sql import SparkSession

from sequoia.errors import UserError
from sequoia.ingest.files.find import RawFile, raw_file
from sequoia.ingest.files.recognise import check_header
from sequoia.ingest.settings import EventColumns
from sequoia.storage import entries, from_encoded, locate, relative_to, spark_uri
from sequoia.tables.identifiers import path_identifier
from sequoia.tables.store import refuse_unsafe


def delta_files(spark: SparkSession, table: RawFile, columns: EventColumns) -> list[RawFile]:
    """Return the files of a Delta table's newest version; the driver holds one entry per file.

    Raises UserError where its files are not its rows, and for a table without a configured column.
    """
    folder = locate(table.path)
    shown = spark.sql(f"SHOW TBLPROPERTIES {path_identifier(folder)}").collect()  # one each
    properties = {row["key"]: row["value"] for row in shown}
    refuse_unsafe(properties, table.path)
    if properties.get("delta.randomizeFilePrefixes", "false") == "true":
        raise UserError(
            f"{table.path} has delta.randomizeFilePrefixes = true, so its folders do not tell the values of "
            "partition columns: unset it, rewrite the table's files and try again"
        )
    frame = spark.read.format("delta").load(spark_uri(folder))
    check_header(table.path, frame.columns, columns)
    present = {entry.relative: entry for entry in entries(folder)}
    parts = sorted(relative_to(from_encoded(uri), folder) for uri in frame.inputFiles())
    root = locate(table.root)
    return [raw_file(present[part], root, below=table.source, table=table.path) for part in parts]
