"""A table of a catalog as input: by name, whatever the name holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia.errors import UserError
from sequoia.ingest.named_table import copy_if_table
from sequoia.ingest.stage import run
from sequoia.road.dry_run import describe_input
from sequoia.road.stage import Context
from sequoia.storage import entries

pytestmark = [pytest.mark.spark, pytest.mark.delta]

Make = Callable[..., Context]
LOG = [("u1", "i1", 1_400_000_000, "a"), ("u2", "i1", 1_400_000_100, "b"), (None, "i2", 1_400_000_200, "c")]
COLUMNS = ("ingest.columns={user: who, item: what-thing, time: at, rating: null, time_unit: seconds}",)


@pytest.fixture
def schema(spark: SparkSession, tmp_path: Path) -> Iterator[str]:
    """A schema whose name SQL takes in back-ticks only."""
    spark.sql(f"CREATE SCHEMA `2018` LOCATION 'file://{tmp_path / 'catalog'}'")
    yield "`2018`"
    spark.sql("DROP SCHEMA `2018` CASCADE")


@pytest.fixture
def foreign(spark: SparkSession) -> str:
    """A table of another catalog, with hyphens in every part of its name: Spark's own refuses them."""
    address = "jdbc:derby:memory:shop;create=true"
    options = {"": "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog", ".url": address}
    for key, value in {**options, ".driver": "org.apache.derby.jdbc.EmbeddedDriver"}.items():
        spark.conf.set(f"spark.sql.catalog.my-shop{key}", value)
    spark.sql("SHOW CATALOGS LIKE 'my-shop'").collect()
    opened = spark._jvm.java.sql.DriverManager.getConnection(address)  # type: ignore[union-attr]
    statement = opened.createStatement()
    statement.execute('CREATE SCHEMA "event-logs"')
    statement.execute(
        'CREATE TABLE "event-logs"."page-views" ("who" VARCHAR(9), "what-thing" VARCHAR(9), "at" BIGINT)'
    )
    statement.execute(
        "INSERT INTO \"event-logs\".\"page-views\" VALUES ('u1', 'i1', 1400000000), ('u2', 'i1', 1400000100)"
    )
    opened.close()
    return "my-shop.event-logs.page-views"


def write_log(spark: SparkSession, table: str, rows: list[tuple[object, ...]], form: str = "delta") -> None:
    frame = spark.createDataFrame(rows, "who string, `what-thing` string, at bigint, note string")
    frame.coalesce(1).write.format(form).mode("append").saveAsTable(table)


def events_of(context: Context) -> list[tuple[object, ...]]:
    return sorted(
        tuple(row) for row in context.tables.read("interactions").select("user", "item", "time").collect()
    )


def test_a_table_is_read_by_name_and_again_only_when_it_changed(
    spark: SparkSession, schema: str, make_context: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(spark, f"{schema}.log", LOG)
    context = make_context("ingest.raw=2018.log", *COLUMNS)
    result = run(context)
    (file,) = result.details["files"]
    assert file["name"].startswith("2018.log/part-")
    assert (file["lines"], file["kept"], file["quarantined"]) == (3, 2, 1)
    (bad,) = context.tables.read("quarantine").collect()
    assert (bad["reason"], bad["line"]) == ("user is missing", 3)
    assert events_of(context) == [("u1", "i1", 1_400_000_000_000), ("u2", "i1", 1_400_000_100_000)]
    run(context)
    assert "nothing changed in 1 files" in capsys.readouterr().err
    write_log(spark, f"{schema}.log", [("u3", "i1", 1_400_000_300, "d")])
    run(context)
    assert events_of(context)[-1] == ("u3", "i1", 1_400_000_300_000)
    copies = [entry.relative for entry in entries(context.config.workspace_path / "snapshots" / "raw")]
    assert len({copy.split("/")[0] for copy in copies}) == 1  # the former version's copy is gone


def test_a_dry_run_names_the_table_and_copies_nothing(
    spark: SparkSession, schema: str, make_context: Make
) -> None:
    write_log(spark, f"{schema}.log", LOG)
    spark.sql(f"CREATE VIEW {schema}.good AS SELECT * FROM {schema}.log WHERE who IS NOT NULL")
    context = make_context("ingest.raw=2018.log", *COLUMNS)
    assert describe_input(context) == (["Input: table `2018`.`log`, version 0, 3 rows"], None)
    ((shown,), _) = describe_input(make_context("ingest.raw=2018.good", *COLUMNS))
    assert shown == "Input: table `2018`.`good`, which has no versions: copied anew by every run"
    assert not (context.config.workspace_path / "snapshots").exists()
    with pytest.raises(UserError, match=r"at, note and no user: set ingest\.columns"):
        describe_input(make_context("ingest.raw=2018.log"))


def test_the_catalog_and_back_ticks_may_be_written_or_not(
    spark: SparkSession, schema: str, make_context: Make
) -> None:
    write_log(spark, f"{schema}.log", LOG)
    context = make_context(*COLUMNS)
    for raw in ("spark_catalog.2018.log", "`2018`.`log`"):
        folder = copy_if_table(context, raw)
        assert folder is not None
        assert context.spark.read.parquet(f"file://{folder}/*").columns == ["who", "what-thing", "at"]
    assert copy_if_table(context, "./2018.log") is None


def test_a_view_is_read_by_name_too(spark: SparkSession, schema: str, make_context: Make) -> None:
    write_log(spark, f"{schema}.log", LOG, form="parquet")
    spark.sql(f"CREATE VIEW {schema}.good AS SELECT * FROM {schema}.log WHERE who IS NOT NULL")
    context = make_context("ingest.raw=2018.good", *COLUMNS)
    run(context)
    spark.sql(f"INSERT INTO {schema}.log VALUES ('u3', 'i3', 1400000300, 'd')")
    run(context)
    assert [row[0] for row in events_of(context)] == ["u1", "u2", "u3"]


def test_a_table_of_another_catalog_with_hyphens_in_its_name(foreign: str, make_context: Make) -> None:
    context = make_context(f"ingest.raw={foreign}", *COLUMNS)
    (file,) = run(context).details["files"]
    assert file["name"].startswith(f"{foreign}/part-")
    assert events_of(context) == [("u1", "i1", 1_400_000_000_000), ("u2", "i1", 1_400_000_100_000)]


def test_what_is_no_table_is_one_sentence(spark: SparkSession, schema: str, make_context: Make) -> None:
    for raw, sentence in (
        ("2018.nothing", r"2018.nothing does not exist: name a folder .* or a table as schema.table"),
        ("nowhere.shop.log", "nowhere.shop.log does not exist"),
        ("`2018`.nothing", "is no table here: name one, or a path without back-ticks"),
    ):
        with pytest.raises(UserError, match=sentence):
            run(make_context(f"ingest.raw={raw}"))
    write_log(spark, f"{schema}.log", LOG)
    with pytest.raises(UserError, match=r"at, note and no user: set ingest\.columns"):
        run(make_context("ingest.raw=2018.log"))


def test_a_path_that_exists_is_a_path(
    spark: SparkSession, schema: str, make_context: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(spark, f"{schema}.log", LOG)
    monkeypatch.chdir(tmp_path)
    Path("2018.log").mkdir()
    Path("2018.log/ratings_Toys.csv").write_text("u9,i9,5.0,1400000000\n")
    context = make_context("ingest.raw=2018.log", *COLUMNS)
    run(context)
    assert [row[0] for row in events_of(context)] == ["u9"]
