"""Event logs as Parquet files or Delta tables: configured columns, explicit casts, the checks of lines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, NumericType, StructType, TimestampNTZType, TimestampType

from sequoia.errors import UserError
from sequoia.ingest.files.find import RawFile, raw_file
from sequoia.ingest.files.recognise import check_header
from sequoia.ingest.formats.event_csv import SCALE
from sequoia.ingest.formats.usable_events import LARGEST_TIME, Limits, limits
from sequoia.ingest.settings import EventColumns, IngestSettings
from sequoia.storage import entries, from_encoded, locate, relative_to, spark_uri
from sequoia.tables.identifiers import path_identifier, quoted

RAW_CHARACTERS = 65_536
SCHEME = "^[a-z0-9]+:/+"  # Spark writes file:/x, file:///x and s3a://bucket/x


def delta_parts(spark: SparkSession, table: RawFile) -> list[RawFile]:
    """Return the files of a Delta table's newest version; the driver holds one entry per file.

    Raises UserError for deletion vectors and column mapping, which make a file's rows and names untrue.
    """
    folder = locate(table.path)
    shown = spark.sql(f"SHOW TBLPROPERTIES {path_identifier(folder)}").collect()
    properties = {row["key"]: row["value"] for row in shown}
    vectors = properties.get("delta.enableDeletionVectors", "false") == "true"
    if vectors or properties.get("delta.columnMapping.mode", "none") != "none":
        what = "deletion vectors" if vectors else "column mapping"
        raise UserError(
            f"{table.path} uses {what}, with which its files do not tell their rows: write it again as a "
            "table without, and name that one in ingest.raw"
        )
    present = {entry.relative: entry for entry in entries(folder)}
    uris = spark.read.format("delta").load(spark_uri(folder)).inputFiles()
    parts = sorted(relative_to(from_encoded(uri), folder) for uri in uris)
    root = locate(table.root)
    return [raw_file(present[part], root, below=table.source, table=table.path) for part in parts]


def read_tables(
    spark: SparkSession, files: list[RawFile], settings: IngestSettings, fingerprints: Mapping[str, str]
) -> list[DataFrame]:
    """Return the bronze rows of Parquet files and of Delta tables' files; `line` is the row in its file.

    fingerprints: of each file by its source. Raises UserError when a configured column is missing.
    """
    bounds = limits(settings, needs_user=settings.columns.user is not None, needs_rating=False)
    known = spark.createDataFrame([*fingerprints.items()], "source STRING, fingerprint STRING")
    frames = []
    for table in sorted({file.table or "" for file in files}):
        parts = [file for file in files if (file.table or "") == table]
        frame = _open(spark, parts)
        check_header(parts[0].path, frame.columns, settings.columns)
        typed = _typed(frame, parts[0].root, settings.columns)
        frames.append(_checked(typed, bounds).join(F.broadcast(known), on="source"))
    return frames


def _open(spark: SparkSession, parts: list[RawFile]) -> DataFrame:
    """Open the files as Parquet: Delta's own reader does not number the rows of a file."""
    base = spark_uri(locate(parts[0].table or parts[0].root))
    paths = [spark_uri(locate(part.path)) for part in parts]
    # The paths are those of files: brackets in them are no pattern.
    reader = spark.read.option("basePath", base).option("__globPaths__", "false")
    if parts[0].table:
        reader = reader.schema(spark.read.format("delta").load(base).schema)
    return reader.parquet(*paths)


def _typed(frame: DataFrame, root: str, names: EventColumns) -> DataFrame:
    rating = F.col(quoted(names.rating)).cast("double") if names.rating else F.lit(None).cast("double")
    user = F.col(quoted(names.user)).cast("string") if names.user else F.lit(None).cast("string")
    path = F.expr("url_decode(replace(_metadata.file_path, '+', '%2B'))")
    below = len(re.sub(SCHEME, "/", spark_uri(locate(root)))) + 2
    return frame.select(
        F.regexp_replace(path, SCHEME, "/").alias("path"),
        (F.col("_metadata.row_index") + 1).alias("line"),
        user.alias("user"),
        F.col(quoted(names.item)).cast("string").alias("item"),
        _milliseconds(frame.schema, names).alias("time"),
        rating.alias("rating"),
        F.substring(
            F.to_json(F.struct(*[F.col(quoted(name)) for name in frame.columns])), 1, RAW_CHARACTERS
        ).alias("raw"),
    ).withColumn("source", F.expr(f"substring(path, {below})"))


def _milliseconds(schema: StructType, names: EventColumns) -> Column:
    column, kind = F.col(quoted(names.time)), schema[names.time].dataType
    if isinstance(kind, TimestampType | TimestampNTZType | DateType):
        return F.unix_millis(column.cast("timestamp"))
    if isinstance(kind, NumericType):
        return _scaled(column.cast("double"), names)
    number = F.expr(f"try_cast({quoted(names.time)} AS DOUBLE)")
    moment = F.unix_millis(F.expr(f"try_cast({quoted(names.time)} AS TIMESTAMP)"))
    return F.coalesce(_scaled(number, names), moment)


def _scaled(number: Column, names: EventColumns) -> Column:
    scaled = F.floor(number * SCALE[names.time_unit])
    return F.when(F.abs(number) <= LARGEST_TIME // SCALE[names.time_unit], scaled)


def _checked(frame: DataFrame, bounds: Limits) -> DataFrame:
    faults = [
        (F.coalesce(F.col("user"), F.lit("")) == "", "user is missing" if bounds.needs_user else None),
        (F.coalesce(F.col("item"), F.lit("")) == "", "item is missing"),
        (F.col("time").isNull(), "time is missing or not a time"),
        (F.col("time") < bounds.first_time, "time before first_time"),
        (F.col("time") > bounds.last_time, "time after last_time"),
        (~F.col("rating").between(1, 5), "rating outside 1 to 5"),
    ]
    reason = F.coalesce(*[F.when(holds, F.lit(name)) for holds, name in faults if name])
    marked = frame.withColumn("reason", reason)
    values = [
        F.when(F.col("reason").isNull(), F.col(name)).alias(name)
        for name in ("user", "item", "time", "rating")
    ]
    return marked.select(
        "source",
        "line",
        F.lit("events").alias("format"),
        *values,
        F.lit(None).cast("boolean").alias("verified"),
        F.lit(None).cast("int").alias("votes"),
        "reason",
        F.when(F.col("reason").isNotNull(), F.col("raw")).alias("raw"),
    )
