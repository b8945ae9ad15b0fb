"""The notebook on a small shop: every cell runs, and the champion says what the table says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from evaluate.world import RAW, save_counting, walk
from tables.filled import filled_row

from sequoia.config import load_config
from sequoia.recommend.stage import run as recommend
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import start_run

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore.ipynb"
USERS = 6


def code_cells() -> list[dict[str, Any]]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_it_is_stored_without_outputs() -> None:
    assert code_cells()
    assert [cell["outputs"] for cell in code_cells() if cell["outputs"]] == []
    assert {cell["execution_count"] for cell in code_cells()} == {None}


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.mlflow
@pytest.mark.parametrize("namespace", [None, "spark_catalog.2018"])  # a name to be quoted
def test_every_cell_runs_on_a_small_shop(
    make_context: Callable[..., Context],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    namespace: str | None,
) -> None:
    settings = tmp_path / "shop.yaml"
    settings.write_text(f"extends: base.yaml\ntables:\n  namespace: {namespace or 'null'}\n")
    context = make_context(f"tables.namespace={namespace or 'null'}", "recommend.sample_users=0")
    with schema_of(context, namespace, tmp_path / "catalog"):
        write_shop(context)
        register_champion(context)
        recommend(context)
        monkeypatch.setenv("SEQUOIA_CONFIG", str(settings))
        monkeypatch.setenv("SEQUOIA_OVERRIDES", f"workspace='{context.config.workspace_path}' recommend.k=10")
        monkeypatch.chdir(NOTEBOOK.parent)
        check(run_cells())
        assert (context.config.workspace_path / "warehouse").exists() == (namespace is None)


@contextmanager
def schema_of(context: Context, namespace: str | None, folder: Path) -> Iterator[None]:
    """Make the catalog's schema for as long as the test runs."""
    if namespace is None:
        yield
        return
    name = ".".join(f"`{part}`" for part in namespace.split("."))
    context.spark.sql(f"CREATE SCHEMA {name} LOCATION '{folder.as_uri()}'")
    try:
        yield
    finally:
        context.spark.sql(f"DROP SCHEMA {name} CASCADE")


def check(found: dict[str, Any]) -> None:
    assert found["newest"]["stage"] == "report"
    assert list(found["accounts"]["lines"]) == [33, 7]
    assert found["reasons"].iloc[0].to_dict() == {"source": "a.csv", "reason": "no user", "count": 1}
    assert list(found["rounds"]["users"]) == [9, 6]
    assert found["metrics"].values.tolist() == [
        [metric, "counting", 0.5, 0.4, 0.6, USERS] for metric in ("hr@10", "ndcg@10")
    ]
    assert list(found["history"]["item"]) == [RAW[place] for place in walk(0)]
    assert list(found["history"]["title"]) == [f"Title {place}" for place in walk(0)]
    # The model of the ring offers the next item first.
    assert found["top"]["item"][0] == RAW[walk(0)[-1] + 1]
    assert list(found["answer"]["items"]) == list(found["top"]["item"])
    assert [items[0] for items in found["others"]["items"]] == [RAW[0], RAW[walk(0)[-1] + 1]]


def test_as_it_stands_it_is_about_the_demo() -> None:
    parameters = code_cells()[0]
    assert parameters["metadata"]["tags"] == ["parameters"]
    namespace: dict[str, Any] = {}
    exec("".join(parameters["source"]), namespace)
    assert load_config(namespace["CONFIG"], namespace["OVERRIDES"].split()).workspace == ".workspace/demo"


def run_cells() -> dict[str, Any]:
    """Run the cells in order in one namespace, as a kernel does; return the namespace."""
    namespace: dict[str, Any] = {"__name__": "explore"}
    for number, cell in enumerate(code_cells()):
        exec(compile("".join(cell["source"]), f"{NOTEBOOK.name} cell {number}", "exec"), namespace)
    return namespace


def write_shop(context: Context) -> None:
    walks = [
        {"user": f"u{user:02d}", "item": RAW[item], "time": 1000 + step, "source": "a.csv"}
        for user in range(USERS)
        for step, item in enumerate(walk(user))
    ]
    write(context, "interactions", walks)
    write(context, "items", [{"item": raw, "title": f"Title {place}"} for place, raw in enumerate(RAW)])
    ratings = {"source": "a.csv", "lines": 33, "kept": 31, "quarantined": 1, "duplicates": 1}
    write(context, "files", [ratings, {"source": "meta_a.json", "lines": 7, "kept": 7}])
    done = {
        "run_id": "night",
        "stage": "report",
        "finished": datetime(2026, 1, 5, tzinfo=UTC),
        "details": "{}",
        "status": "done",
    }
    cleaned = {**done, "stage": "clean", "finished": datetime(2026, 1, 6, tzinfo=UTC)}
    write(context, "stage_runs", [done, cleaned])
    write(context, "quarantine", [{"source": "a.csv", "reason": "no user"}])
    write(context, "kcore", [{"round": 0, "users": 9}, {"round": 1, "users": 6}])
    seen = {"model": "counting", "split": "test", "value": 0.5, "low": 0.4, "high": 0.6, "users": USERS}
    full = [{**seen, "slice": "all", "metric": name, "protocol": "full"} for name in ("ndcg@10", "hr@10")]
    others = [{"protocol": "sampled-uniform", "slice": "all"}, {"protocol": "full", "slice": "new users"}]
    write(context, "metrics", [*full, *({**seen, "metric": "hr@10", **other} for other in others)])


def write(context: Context, table: str, rows: list[dict[str, Any]]) -> None:
    schema = context.tables.schema(table)
    filled = [filled_row(schema, row) for row in rows]
    context.tables.overwrite(table, context.spark.createDataFrame(filled, schema))


def register_champion(context: Context) -> None:
    folder = save_counting(context.config.workspace_path / "models" / "run" / "counting", step=1)
    connection = connect(context.config)
    uri = log_model(connection, start_run(connection, "counting").id, "counting", folder, [RAW[0]])
    registry.move_alias(
        connection, "champion", registry.register(connection, uri, {registry.FINGERPRINT: "f"})
    )
