"""One log in each of its kinds gives the same interactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.ingest.event_tables import delta_parts, read_tables
from sequoia.ingest.files.find import find_files
from sequoia.ingest.stage import run
from sequoia.road.stage import Context

pytestmark = [pytest.mark.spark, pytest.mark.delta]

Make = Callable[..., Context]
COLUMNS = (
    "ingest.columns={user: who, item: what, time: at, rating: stars, time_unit: seconds}",
    "ingest.max_quarantined=1",
)
LOG = [("u1", "i1", "1400000000", 5.0), ("u1", "i2", "2014-05-14T00:00:00", None), ("u2", "i1", "soon", 1.0)]
WANTED = [("u1", "i1", 1_400_000_000_000, 5.0), ("u1", "i2", 1_400_025_600_000, None)]


def events_of(context: Context) -> list[tuple[object, ...]]:
    rows = context.tables.read("interactions").select("user", "item", "time", "rating").collect()
    return sorted(tuple(row) for row in rows)


def test_csv_parquet_and_delta_logs_in_one_folder(
    spark: SparkSession, tmp_path: Path, make_context: Make
) -> None:
    folder = tmp_path / "a log + more"
    folder.mkdir()
    frame = spark.createDataFrame(LOG, "who string, what string, at string, stars double").coalesce(1)
    lines = "".join(f"{who},{what},{at},{'' if stars is None else stars}\n" for who, what, at, stars in LOG)
    (folder / "log.csv").write_text("who,what,at,stars\n" + lines)
    frame.write.parquet(str(folder / "parts"))
    frame.write.format("delta").partitionBy("who").save(str(folder / "table"))
    result = run(make_context(f"ingest.raw={folder}", *COLUMNS))
    context = make_context(f"ingest.raw={folder}", *COLUMNS)
    assert events_of(context) == WANTED
    counts = [(file["lines"], file["quarantined"]) for file in result.details["files"]]
    assert counts == [(3, 1), (3, 1), (2, 0), (1, 1)]  # the Delta table has a file per user
    assert sum(file["kept"] for file in result.details["files"]) == 2
    assert sorted(Path(file["name"]).parts[0] for file in result.details["files"]) == [
        "log.csv",
        "parts",
        "table",
        "table",
    ]
    quarantined = context.tables.read("quarantine").collect()
    assert sorted(row["line"] for row in quarantined) == [1, 3, 3]
    assert all("soon" in row["raw"] for row in quarantined)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1_400_000_000, "int"),
        (1.4e9, "double"),
        (datetime(2014, 5, 13, 16, 53, 20, tzinfo=UTC), "timestamp"),
        (date(2014, 5, 13), "date"),
        ("2014-05-13 16:53:20", "string"),
    ],
)
def test_times_of_any_type_become_milliseconds(
    spark: SparkSession, tmp_path: Path, make_context: Make, value: object, kind: str
) -> None:
    folder = str(tmp_path / "log")
    spark.createDataFrame([("i", value)], f"item string, time {kind}").coalesce(1).write.parquet(folder)
    settings = make_context("ingest.columns.user=null").config.ingest
    files = [file for file in find_files(folder, None) if file.bytes]
    (frame,) = read_tables(spark, files, settings, {file.source: "f" for file in files})
    wanted = 1_399_939_200_000 if kind == "date" else 1_400_000_000_000
    assert [(row["user"], row["item"], row["time"], row["reason"]) for row in frame.collect()] == [
        (None, "i", wanted, None)
    ]


def test_a_table_without_a_configured_column_and_one_with_deletion_vectors_are_a_sentence(
    spark: SparkSession, tmp_path: Path, make_context: Make
) -> None:
    folder = str(tmp_path / "log")
    spark.range(3).select(F.col("id").alias("user")).write.parquet(folder)
    settings = make_context().config.ingest
    with pytest.raises(UserError, match=r"has the columns user and no item: set ingest.columns.item"):
        read_tables(spark, find_files(folder, None), settings, {})
    table = str(tmp_path / "table")
    spark.range(3).write.format("delta").option("delta.enableDeletionVectors", "true").save(table)
    with pytest.raises(UserError, match="uses deletion vectors"):
        delta_parts(spark, find_files(table, None)[0])
