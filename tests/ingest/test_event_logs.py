"""One log in each of its kinds gives the same interactions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.ingest.bronze_rows import rows_of
from sequoia.ingest.files.chunks import Chunk
from sequoia.ingest.files.delta import delta_files
from sequoia.ingest.files.find import RawFile, find_files
from sequoia.ingest.files.first_look import look
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


def rows_of_file(file: RawFile, *settings: str, span: tuple[int, int] | None = None) -> list[dict[str, Any]]:
    chunk = Chunk(file=file, form="events", fingerprint="f", span=span)
    read = load_config(overrides=[*settings]).ingest
    return [row for table in rows_of(chunk, read) for row in table.to_pylist()]


def parquet(folder: Path, table: pa.Table, **options: Any) -> RawFile:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "log.parquet", **options)
    return find_files(str(folder), None)[0]


RATED = "ingest.columns.rating=rating"
SECONDS = 1_400_000_000_000
NOON = datetime(2014, 5, 13, 16, 53, 20, 987_654, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ([1_400_000_000, None, 2**60], pa.int64(), [SECONDS, None, None]),
        ([1_400_000_000, None], pa.uint32(), [SECONDS, None]),
        ([1.4e9, 1.4e9 + 0.0019, float("nan"), 1e300], pa.float64(), [SECONDS, SECONDS + 1, None, None]),
        ([Decimal("1400000000.5")], pa.decimal128(20, 2), [1_400_000_000_500]),
        ([NOON], pa.timestamp("ns", "UTC"), [1_400_000_000_987]),
        ([NOON, None], pa.timestamp("us"), [1_400_000_000_987, None]),
        ([NOON], pa.timestamp("us", "Asia/Tokyo"), [1_400_000_000_987]),
        ([NOON.replace(microsecond=0)], pa.timestamp("s"), [SECONDS]),
        ([date(2014, 5, 13)], pa.date32(), [1_399_939_200_000]),
        (["2014-05-13 16:53:20", "1400000000", "1.4e9"], pa.string(), [SECONDS] * 3),
        ([" ", "soon", None, "1e300"], pa.string(), [None] * 4),
        (["2014-05-13T18:53:20.5+02:00", "2014-02-30"], pa.large_string(), [1_400_000_000_500, None]),
        (["2014-05-13 16:53:20", "2014-05-13T18:53:20+02:00", "soon", None], pa.string(),
         [SECONDS, SECONDS, None, None]),
        ([2**64 - 1, 1_400_000_000, None], pa.uint64(), [None, SECONDS, None]),
        ([b"2014-05-13 16:53:20", b"1400000000", b"\xe9"], pa.binary(), [SECONDS, SECONDS, None]),
        (["1400000000", "1400000000"], pa.dictionary(pa.int8(), pa.string()), [SECONDS] * 2),
    ],
)  # fmt: skip
def test_times_of_any_type_become_milliseconds(
    tmp_path: Path, values: list[object], kind: pa.DataType, wanted: list[int | None]
) -> None:
    times = pa.array(values, kind)
    file = parquet(tmp_path, pa.table({"item": ["i"] * len(times), "time": times}))
    rows = rows_of_file(file, "ingest.columns.user=null")
    assert [row["time"] for row in rows] == wanted
    assert [row["reason"] is None for row in rows] == [time is not None for time in wanted]


@pytest.mark.parametrize("time", [datetime(9999, 12, 31, tzinfo=UTC), NOON, datetime(1960, 1, 1, tzinfo=UTC)])
def test_the_times_that_spark_writes_in_96_bits_reach_as_far_as_its_own(
    spark: SparkSession, tmp_path: Path, time: datetime
) -> None:
    folder = str(tmp_path / "log")
    spark.createDataFrame([("i", time)], "item string, time timestamp").coalesce(1).write.parquet(folder)
    (file,) = (file for file in find_files(folder, None) if file.bytes)
    settings = (
        "ingest.columns.user=null",
        "ingest.first_time=1900-01-01",
        "ingest.last_time=9999-12-31T23:00",
    )
    assert rows_of_file(file, *settings)[0]["time"] == (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


TEXTS = [
    ["u1", "", None, "u 2"],
    ["i1", "", None],
    ["1400000000", "2014-05-13", "", None, "soon", "9e99", "1e3", "-5", "nan"],
    ["5", "", None, "0.5", "six", "inf"],
]


def test_a_table_of_texts_is_read_as_the_same_lines_of_csv_are(tmp_path: Path) -> None:
    columns = dict(zip(("user", "item", "time", "rating"), zip(*product(*TEXTS), strict=True), strict=True))
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    file = parquet(tmp_path / "table", table)
    lines = [",".join(value or "" for value in row) for row in zip(*columns.values(), strict=True)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,time,rating", *lines]) + "\n")
    csv = Chunk(
        file=find_files(str(tmp_path / "log.csv"), None)[0], form="events", fingerprint="f", header=[*columns]
    )
    found = rows_of_file(file, RATED)
    settings = load_config(overrides=[RATED]).ingest
    wanted = [row for table in rows_of(csv, settings) for row in table.to_pylist()]
    assert len(found) == len(wanted) == len(table)
    for one, other in zip(found, wanted, strict=True):
        assert {**one, "raw": None} == {**other, "raw": None}
    assert sum(row["reason"] is None for row in found) > 10


def test_a_bad_row_is_told_whatever_stands_in_it(tmp_path: Path) -> None:
    latin = pa.Array.from_buffers(pa.string(), 2, pa.array([b"caf\xe9", b"tea"]).buffers())
    far = pa.array([2**61, 1_400_000_000_000_000], pa.int64()).cast(pa.timestamp("us"))
    table = pa.table({"user": latin, "item": ["i", "j"], "time": far, "also": far, "nested": [{"at": 1}] * 2})
    bad, good = rows_of_file(parquet(tmp_path, table))
    assert (good["user"], good["time"], good["reason"]) == ("tea", SECONDS, None)
    assert bad["reason"] == "user is not UTF-8"
    told = json.loads(bad["raw"])
    assert (told["user"], told["item"], told["nested"]) == ("caf\ufffd", "i", {"at": 1})
    assert told["time"] == told["also"] != "None"


def test_what_the_storage_says_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = parquet(tmp_path, pa.table({"user": ["u"], "item": ["i"], "time": [1]}))

    def reset(*_: Any, **__: Any) -> Any:
        raise ConnectionResetError(104, "reset by peer")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", reset)
    with pytest.raises(ConnectionResetError):
        rows_of_file(file)


def test_each_row_group_is_read_by_one_task_with_the_numbers_of_its_rows(tmp_path: Path) -> None:
    items = [f"i{number}" for number in range(1000)]
    times = [1_400_000_000 if number % 7 else 0 for number in range(1000)]
    table = pa.table({"user": ["u"] * 1000, "item": items, "time": times, "shop": items})
    file = parquet(tmp_path, table, row_group_size=90)
    settings = ("ingest.columns.rating=null",)
    whole = rows_of_file(file, *settings)
    assert [row["line"] for row in whole] == [*range(1, 1001)]
    for width in (100, 3000, file.bytes):
        spans = [(begin, begin + width) for begin in range(0, file.bytes, width)]
        assert [row for span in spans for row in rows_of_file(file, *settings, span=span)] == whole
    bad = [row for row in whole if row["reason"]]
    assert [json.loads(row["raw"])["shop"] for row in bad] == items[::7]
    assert all(row["raw"] is None for row in whole if not row["reason"])


def test_columns_in_the_names_of_folders(tmp_path: Path) -> None:
    table = pa.table({"item": ["i"], "time": [1_400_000_000]})
    for name in ("user=A%2F1", "user=007", "user=__HIVE_DEFAULT_PARTITION__"):
        parquet(tmp_path / "log" / name, table)
    files = find_files(str(tmp_path / "log"), None)
    rows = [rows_of_file(file, "ingest.columns.rating=null")[0] for file in files]
    assert [(row["user"], row["reason"]) for row in rows] == [
        ("007", None),
        ("A/1", None),
        (None, "user is missing"),
    ]
    assert json.loads(rows[2]["raw"]) == {"item": "i", "time": 1_400_000_000, "user": None}


def test_a_delta_table_may_have_got_a_column_after_its_first_files(
    spark: SparkSession, tmp_path: Path, make_context: Make
) -> None:
    folder = str(tmp_path / "table")
    for columns, mode in (("user, item, time", "error"), ("user, item, time, rating", "append")):
        row = spark.sql("SELECT 'u' AS user, 'i' AS item, 1400000000 AS time, 4.0 AS rating")
        row.select(*columns.split(", ")).write.format("delta").mode(mode).option("mergeSchema", "true").save(
            folder
        )
    names = load_config().ingest.columns
    files = delta_files(spark, find_files(folder, None)[0], names)
    rated = [rows_of_file(file, RATED)[0]["rating"] for file in files]
    assert sorted(rated, key=str) == [4.0, None]


def test_what_cannot_be_read_is_a_sentence(spark: SparkSession, tmp_path: Path, make_context: Make) -> None:
    columns = load_config().ingest.columns
    file = parquet(tmp_path / "log", pa.table({"user": [1]}))
    with pytest.raises(UserError, match=r"has the columns user and no item: set ingest.columns.item"):
        look(file, "events", load_config().ingest)
    file = parquet(
        tmp_path / "nested", pa.table({name: [[1]] for name in ("user", "item", "time", "rating")})
    )
    with pytest.raises(UserError, match=r"has in (user|item|time|rating) values of type list"):
        look(file, "events", load_config().ingest)
    clock = pa.array([1], pa.time64("us"))
    file = parquet(tmp_path / "clock", pa.table({"user": ["u"], "item": ["i"], "time": clock}))
    with pytest.raises(UserError, match="has in time values of type time64"):
        look(file, "events", load_config().ingest)
    Path(file.path).write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UserError, match="is no Parquet file, or damaged"):
        run(make_context(f"ingest.raw={file.path}"))
    table = str(tmp_path / "table")
    spark.range(3).write.format("delta").option("delta.enableDeletionVectors", "true").save(table)
    with pytest.raises(UserError, match="allows deletion vectors"):
        delta_files(spark, find_files(table, None)[0], columns)
    table = str(tmp_path / "other")
    spark.range(3).write.format("delta").save(table)
    with pytest.raises(UserError, match="has the columns id and no user"):
        delta_files(spark, find_files(table, None)[0], columns)
    spark.sql(f"ALTER TABLE delta.`{table}` SET TBLPROPERTIES ('delta.randomizeFilePrefixes' = 'true')")
    with pytest.raises(UserError, match="do not tell the values of partition columns"):
        delta_files(spark, find_files(table, None)[0], columns)


def test_a_file_that_is_damaged_inside_costs_only_itself(
    spark: SparkSession, tmp_path: Path, make_context: Make
) -> None:
    table = pa.table(
        {"user": ["u"] * 9000, "item": [f"i{n}" for n in range(9000)], "time": [1_400_000_000] * 9000}
    )
    for name in ("a", "b"):
        parquet(tmp_path / "log" / name, table, row_group_size=3000)
    broken = next(file for file in find_files(str(tmp_path / "log"), None) if "b/" in file.source)
    data = bytearray(Path(broken.path).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = b"x" * 200
    Path(broken.path).write_bytes(data)
    cut_off = tmp_path / "log" / "c.parquet"
    cut_off.write_bytes(data[:middle])
    context = make_context(f"ingest.raw={tmp_path / 'log'}", "ingest.on_damage=keep")
    with pytest.raises(UserError, match=r"c.parquet is no Parquet file.*b/log.parquet is damaged .*fetch it"):
        run(context)
    assert context.tables.read("events").count() == 9000
