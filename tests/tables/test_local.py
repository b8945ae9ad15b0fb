"""Small tables without Spark: what Spark wrote is read alike, and what breaks a contract is refused alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

from sequoia.road.stage import Context
from sequoia.tables import store
from sequoia.tables.contracts import contract
from sequoia.tables.local import LocalTables

MakeContext = Callable[..., Context]
NOW = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
LINE = {
    "run_id": "r1",
    "stage": "train",
    "status": "done",
    "finished": NOW,
    "seconds": 1.5,
    "rows_in": 2**40,
    "rows_out": None,
    "details": "{}",
    "error_type": None,
    "error": None,
    "settings_hash": "h",
    "reads": {"training": 3},
    "writes": {},
}
VERDICT = {"model": "a", "rule": "floor", "passed": True, "reason": "so", "figures": {"p": nan, "n": None}}
FIGURES = {"a": {"value": nan, "low": None, "high": 0.5, "users": 20.0}}
TEXTS = "run_id action registered_model alias settings settings_hash code_version actor".split()
DECISION = {
    **dict.fromkeys(contract("promotions").schema.names),
    **{name: "refused" if name == "action" else name for name in TEXTS},
    "decided": NOW,
    "reasons": ["one", "two"],
    "verdicts": [VERDICT],
    "figures": FIGURES,
}
METRIC = {
    "model": "a",
    "fingerprint": "f",
    "split": "test",
    "protocol": "full",
    "slice": "all",
    "metric": "hr@10",
    "value": 0.5,
    "low": None,
    "high": 0.6,
    "users": 3,
}
ACCOUNT = {
    "source": "a.csv",
    "format": "ratings",
    "bytes": 9,
    "fingerprint": "f",
    "lines": 3,
    "kept": 1,
    "quarantined": 1,
    "duplicates": 1,
    "events_version": 2,
    "products_version": 0,
}
SMALL = {"stage_runs": LINE, "promotions": DECISION, "metrics": METRIC, "files": ACCOUNT}
BROKEN = [
    ("stage_runs", {"status": "odd"}),
    ("stage_runs", {"status": "failed"}),
    ("stage_runs", {"error": "done, but with an error"}),
    ("stage_runs", {"run_id": None}),
    ("stage_runs", {"rows_in": 2.5}),
    ("stage_runs", {"reads": {"training": 2.5}}),
    ("promotions", {"action": "odd"}),
    ("metrics", {"value": 1.5}),
    ("metrics", {"value": None}),
    ("files", {"kept": 2}),
]


@pytest.fixture
def by_spark(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Context]:
    """Return a function that makes a context without deltalake: Spark writes its small tables."""

    def make() -> Context:
        context = make_context()
        with monkeypatch.context() as patch:
            patch.setattr(store, "find_spec", lambda name: None)
            assert context.tables is not None
        return context

    return make


def same(found: Any, wanted: Any) -> bool:
    """Say whether two values are equal, NaN to NaN too, and integers to integers only."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float) and isnan(wanted):
        return isinstance(found, float) and isnan(found)
    return type(found) is type(wanted) and bool(found == wanted)


@pytest.mark.parametrize("table", SMALL)
def test_rows_come_back_as_they_were_to_both_readers(
    table: str, make_context: MakeContext, by_spark: Callable[[], Context]
) -> None:
    context, other = make_context(), by_spark()
    context.tables.add_rows(table, [SMALL[table]])
    assert context.tables.read(table).schema == other.tables.schema(table)
    other.tables.add_rows(table, [SMALL[table]])
    for tables in (context.tables, other.tables):
        assert [same({**row}, SMALL[table]) for row in tables.rows(table)] == [True, True]


@pytest.mark.parametrize(("table", "change"), BROKEN)
def test_what_breaks_the_contract_is_refused_and_nothing_is_written(
    table: str, change: dict[str, Any], make_context: MakeContext
) -> None:
    tables = make_context().tables
    tables.add_rows(table, [SMALL[table]])
    with pytest.raises(Exception, match=r"failed validation|null values|is no integer"):
        tables.add_rows(table, [{**SMALL[table], **change}])
    assert len(tables.rows(table)) == 1


def test_spark_keeps_the_constraints_of_a_table_made_without_it(
    make_context: MakeContext, by_spark: Callable[[], Context]
) -> None:
    make_context().tables.add_rows("stage_runs", [LINE])
    tables = by_spark().tables
    for change in ({"status": "odd"}, {"status": "failed"}, {"error": "done, but with an error"}):
        with pytest.raises(Exception, match="violated"):
            tables.add_rows("stage_runs", [{**LINE, **change}])
    assert len(tables.rows("stage_runs")) == 1


def test_a_row_without_a_column_is_refused(make_context: MakeContext) -> None:
    row = {name: value for name, value in LINE.items() if name != "error"}
    with pytest.raises(KeyError, match="error"):
        make_context().tables.add_rows("stage_runs", [row])


@pytest.mark.parametrize("by", ["deltalake", "Spark"])
def test_rows_are_chosen_by_value_and_replaced_whole(
    by: str, make_context: MakeContext, by_spark: Callable[[], Context]
) -> None:
    tables = (by_spark() if by == "Spark" else make_context()).tables
    stages = ["train", "ingest", "train"]
    rows = [{**LINE, "stage": stage, "run_id": f"r{number}"} for number, stage in enumerate(stages)]
    tables.add_rows("stage_runs", rows)
    chosen = tables.rows("stage_runs", columns=["run_id"], where={"stage": ["train", "evaluate"]})
    assert sorted(chosen, key=str) == [{"run_id": "r0"}, {"run_id": "r2"}]
    both = {"stage": ["train"], "run_id": ["r2", "r1"]}
    assert [row["run_id"] for row in tables.rows("stage_runs", where=both)] == ["r2"]
    version = tables.replace_rows("stage_runs", [LINE])
    assert [row["run_id"] for row in tables.rows("stage_runs")] == ["r1"]
    assert tables.reads["stage_runs"] == tables.writes["stage_runs"] == version
    assert tables.read("stage_runs", version=version - 1).count() == 3


def test_a_commit_names_its_run(make_context: MakeContext) -> None:
    context = make_context()
    context.tables.add_rows("metrics", [METRIC])
    history = context.spark.sql(f"DESCRIBE HISTORY {context.tables.identifier('metrics')}")
    assert history.first()["userMetadata"] == f'{{"run_id": "{context.run_id}"}}'  # type: ignore[index]


def test_a_process_that_has_read_rows_ends_well(tmp_path: Path) -> None:
    """Most of them were aborted when Arrow read by a file system of Python."""
    tables = LocalTables(tmp_path)
    tables.create(contract("stage_runs"))
    tables.write_rows("stage_runs", [LINE], "append", "{}")
    version = tables.history("stage_runs")[0]["version"]
    program = (
        f"from sequoia.tables.local import LocalTables as T; from pathlib import Path; "
        f"T(Path({str(tmp_path)!r})).rows('stage_runs', {version}, None, {{}})"
    )
    ended = [subprocess.run([sys.executable, "-c", program], check=False).returncode for _ in range(5)]
    assert ended == [0] * 5


def test_many_writers_make_one_table_and_lose_no_row(tmp_path: Path) -> None:
    """Each of them finds no table; one commit has the schema, and every row is there once."""
    terms = contract("stage_runs")

    def add(number: int) -> None:
        tables = LocalTables(tmp_path)
        tables.create(terms)
        tables.write_rows("stage_runs", [{**LINE, "run_id": str(number)}], "append", "{}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    tables = LocalTables(tmp_path)
    version = tables.history("stage_runs")[0]["version"]
    found = tables.rows("stage_runs", version, ["run_id"], {})
    assert sorted(int(row["run_id"]) for row in found) == list(range(16))
    assert [entry.name for entry in tmp_path.iterdir()] == ["stage_runs"]
    present = {key.split(".")[-1] for key in tables.facts("stage_runs").properties if "constraints" in key}
    assert present == terms.constraints.keys()
