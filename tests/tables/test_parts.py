"""Files that tasks write become rows by one commit, on the version that was read or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from sequoia.errors import UserError
from sequoia.road.stage import Context
from sequoia.tables.parts import Part, write_part

pytestmark = [pytest.mark.spark, pytest.mark.delta]

Make = Callable[..., Context]
SOURCES = ("a/b' c%20.json", "plain.csv")


@pytest.fixture(params=["folder", "catalog"])
def context(
    request: pytest.FixtureRequest, spark: SparkSession, make_context: Make, tmp_path: Path
) -> Iterator[Context]:
    """Tables in a folder, whose log deltalake writes, and in a catalog, where Spark does."""
    if request.param == "folder":
        yield make_context()
        return
    spark.sql(f"CREATE SCHEMA `parts` LOCATION 'file://{tmp_path / 'catalog'}'")
    yield make_context("tables.namespace=spark_catalog.parts")
    spark.sql("DROP SCHEMA `parts` CASCADE")


def lines(context: Context, source: str, first: int, count: int = 3, bad: int = 0) -> Part:
    """Write lines of a file, the first ones bad."""
    numbers = range(first, first + count)
    rows = {
        "line": pa.array(numbers, pa.int64()),
        "format": ["ratings"] * count,
        "user": pa.array([None] * bad + ["u"] * (count - bad)),
        "item": pa.array([None] * bad + ["i"] * (count - bad)),
        "time": pa.array([None] * bad + [1] * (count - bad), pa.int64()),
        "rating": pa.nulls(count, pa.float32()),
        "verified": pa.nulls(count, pa.bool_()),
        "votes": pa.nulls(count, pa.int32()),
        "reason": pa.array(["blank line"] * bad + [None] * (count - bad), pa.string()),
        "raw": pa.nulls(count, pa.string()),
    }
    partition = {"source": source, "fingerprint": "007"}
    target = context.tables.target("events")
    return write_part(pa.table(rows), target, partition=partition, count_nulls=["reason"])


def found(context: Context) -> list[tuple[str, str, int]]:
    rows = context.tables.read("events").select("source", "fingerprint", "line").collect()
    return sorted(tuple(row) for row in rows)


def test_files_take_the_place_of_all_rows_or_of_those_of_a_partition(context: Context) -> None:
    tables = context.tables
    empty = tables.begin("events")
    first = tables.publish("events", [lines(context, source, 1) for source in SOURCES], on=empty)
    assert first == empty + 1
    assert found(context) == [(source, "007", line) for source in SOURCES for line in (1, 2, 3)]
    second = tables.publish(
        "events", [lines(context, SOURCES[0], 8, 2)], on=first, replacing={"source": [SOURCES[0]]}
    )
    rest = [(SOURCES[1], "007", line) for line in (1, 2, 3)]
    assert found(context) == [(SOURCES[0], "007", 8), (SOURCES[0], "007", 9), *rest]
    third = tables.publish("events", [], on=second, replacing={"source": [SOURCES[0]]})
    assert found(context) == rest
    tables.publish("events", [], on=third)
    assert found(context) == []
    assert tables.history("events")[0]["version"] == tables.writes["events"] == third + 1


def test_partitions_are_counted(context: Context) -> None:
    parts = [
        lines(context, SOURCES[0], 1, 3, bad=1),
        lines(context, SOURCES[0], 4),
        lines(context, SOURCES[1], 1),
    ]
    context.tables.publish("events", parts, on=context.tables.begin("events"))
    counts = {
        of["source"]: (of["fingerprint"], rows, bad)
        for of, rows, bad in context.tables.counts("events", "reason")
    }
    assert counts == {SOURCES[0]: ("007", 6, 1), SOURCES[1]: ("007", 3, 0)}


def test_of_two_who_read_one_version_the_second_is_told(
    context: Context,
) -> None:
    tables = context.tables
    version = tables.begin("events")
    mine, other = lines(context, SOURCES[0], 1), lines(context, SOURCES[1], 1)
    tables.publish("events", [other], on=version)
    with pytest.raises(
        UserError, match=rf"another run has written .*events.* since this one read version {version}"
    ):
        tables.publish("events", [mine], on=version)
    assert found(context) == [(SOURCES[1], "007", line) for line in (1, 2, 3)]


def test_a_row_without_a_value_that_the_contract_asks_for_is_no_row(make_context: Make) -> None:
    target = make_context().tables.target("user_index")
    rows = pa.table({"user": ["a", None], "id": [2, 3], "events": [1, 1]})
    with pytest.raises(ValueError, match="user has 1 rows without a value"):
        write_part(rows, target)


def test_columns_get_the_types_of_the_contract_or_are_refused(make_context: Make) -> None:
    context = make_context()
    target = context.tables.target("user_index")
    narrow = pa.table({"user": ["a"], "id": pa.array([2], pa.int32()), "events": pa.array([1], pa.int16())})
    context.tables.publish("user_index", [write_part(narrow, target)], on=context.tables.begin("user_index"))
    assert [tuple(row) for row in context.tables.read("user_index").collect()] == [("a", 2, 1)]
    with pytest.raises(pa.ArrowInvalid, match=r"2\.5"):
        write_part(pa.table({"user": ["a"], "id": [2.5], "events": [1]}), target)
