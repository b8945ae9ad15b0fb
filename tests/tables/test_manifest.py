"""A stage's tables become visible together, when its line is in the diary; what is read belongs together."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sequoia.errors import UserError
from sequoia.road.stage import Context, Stage, StageResult
from sequoia.road.walk import run_stage
from sequoia.tables.manifest import Manifest, visible

MakeContext = Callable[..., Context]
OURS = json.dumps({"run_id": "r"})


def commit(version: int, note: str | None = OURS) -> dict[str, Any]:
    return {"version": version, "userMetadata": note}


@pytest.mark.parametrize(
    ("complete", "newest", "commits", "read"),
    [
        (None, 7, [commit(7)], 7),  # no stage wrote it
        (5, 5, [commit(5)], 5),
        (5, 6, [commit(6), commit(5)], 5),  # a run that was given up
        (5, 7, [commit(7), commit(6, None), commit(5)], 6),  # before it somebody erased rows
        (5, 7, [commit(7, None), commit(6, "by hand"), commit(5)], 7),  # nobody of ours
        (5, 7, [commit(7, None), commit(6), commit(5)], 5),  # on top of rows that nobody was to see
        (5, 3, [commit(3)], 3),  # another table of that name
    ],
)
def test_the_newest_version_without_an_unfinished_run_is_read(
    complete: int | None, newest: int, commits: list[dict[str, Any]], read: int
) -> None:
    assert visible(complete, newest, commits) == read


def test_the_last_complete_run_of_a_table_counts() -> None:
    def row(hour: int, stage: str, writes: dict[str, int]) -> dict[str, Any]:
        when = datetime(2026, 1, 1, hour, tzinfo=UTC)
        return {"stage": stage, "finished": when, "reads": {}, "writes": writes}

    found = Manifest([row(3, "b", {"y": 2}), row(1, "a", {"x": 1, "y": 1}), row(4, "c", {})])
    last = found.of("y")
    assert last is not None
    assert last.stage == "b"
    assert [found.of(table) is not None for table in ("x", "y", "z")] == [True, True, False]


def write(context: Context, table: str, *names: str) -> None:
    label = table.removesuffix("_index")
    rows = [{label: name, "id": at + 2, "rank": at + 1, "events": 1} for at, name in enumerate(names)]
    context.tables.replace_rows(table, rows)


def names(context: Context, table: str) -> list[str]:
    return sorted(row[table.removesuffix("_index")] for row in context.tables.rows(table))


def index(*found: str, fails: bool = False) -> Stage:
    """A stage of two tables, which may be given up between their commits."""

    def run(context: Context) -> StageResult:
        write(context, "brand_index", *found)
        assert names(context, "brand_index") == sorted(found)  # its own it sees
        if fails:
            raise RuntimeError("lost")
        write(context, "category_index", *found)
        return StageResult(rows_in=0, rows_out=len(found))

    return Stage(name="index", help="", run=run)


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.parametrize("namespace", [None, "spark_catalog.torn"])
def test_a_stage_that_is_given_up_between_two_commits_shows_nothing(
    make_context: MakeContext, namespace: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context(*([f"tables.namespace={namespace}"] if namespace else []))
    if namespace:
        context.spark.sql(
            f"CREATE SCHEMA IF NOT EXISTS {namespace} LOCATION '{context.config.workspace_path}/c'"
        )
    run_stage(index("a"), context)
    with pytest.raises(RuntimeError, match="lost"):
        run_stage(index("a", "b", fails=True), context)
    context.tables.start_stage()
    assert names(context, "brand_index") == names(context, "category_index") == ["a"]
    assert "a later run of index did not end" in capsys.readouterr().err
    run_stage(index("a", "b", "c"), context)
    context.tables.start_stage()
    assert names(context, "brand_index") == names(context, "category_index") == ["a", "b", "c"]
    # Who erases rows beside the road is heeded at once.
    context.spark.sql(f"DELETE FROM {context.tables.identifier('brand_index')} WHERE brand = 'b'")
    assert names(context, "brand_index") == ["a", "c"]
    if namespace:
        context.spark.sql(f"DROP SCHEMA {namespace} CASCADE")


@pytest.mark.spark
@pytest.mark.delta
def test_what_was_made_from_other_rows_is_refused_and_maintenance_changes_none(
    make_context: MakeContext,
) -> None:
    context = make_context()

    def made(context: Context) -> StageResult:
        context.tables.rows("brand_index")
        write(context, "category_index", "x")
        return StageResult(rows_in=0, rows_out=0)

    def brands(context: Context) -> StageResult:
        write(context, "brand_index", "a")
        return StageResult(rows_in=0, rows_out=0)

    run_stage(Stage(name="ingest", help="", run=brands), context)
    run_stage(Stage(name="index", help="", run=made), context)
    context.tables.start_stage()
    context.tables.check_made_from("category_index", ["brand_index"])
    context.spark.sql(f"OPTIMIZE {context.tables.identifier('brand_index')}")
    context.tables.check_made_from("category_index", ["brand_index"])
    run_stage(Stage(name="ingest", help="", run=brands), context)
    context.tables.start_stage()
    with pytest.raises(UserError, match=r"category_index` was made from version 1 of brand_index, which has"):
        context.tables.check_made_from("category_index", ["brand_index"])
