"""The notebook on a small shop: every cell runs, and the champion says what the table says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evaluate.world import RAW, save_counting, walk

from sequoia.recommend.stage import run as recommend
from sequoia.stage import Context
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
def test_every_cell_runs_on_a_small_shop(
    make_context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context("recommend.k=10", "recommend.sample_users=0")
    write_shop(context)
    register_champion(context)
    recommend(context)
    monkeypatch.setenv("WORKSPACE", str(context.config.workspace_path))
    monkeypatch.chdir(NOTEBOOK.parent)
    found = run_cells()
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
    write(context, "quarantine", [{"source": "a.csv", "reason": "no user"}])
    write(context, "kcore", [{"round": 0, "users": 9}, {"round": 1, "users": 6}])
    seen = {"model": "counting", "split": "test", "value": 0.5, "low": 0.4, "high": 0.6, "users": USERS}
    full = [{**seen, "metric": name, "protocol": "full"} for name in ("ndcg@10", "hr@10")]
    write(context, "metrics", [*full, {**seen, "metric": "hr@10", "protocol": "sampled-uniform"}])


def write(context: Context, table: str, rows: list[dict[str, Any]]) -> None:
    """Write rows of which only what matters here is given; the rest is null, or nothing of its type."""
    schema = context.tables.schema(table)
    nothing = {"string": "", "array<string>": []}
    filler = {
        field.name: None if field.nullable else nothing.get(field.dataType.simpleString(), 0)
        for field in schema
    }
    filled = [tuple({**filler, **row}.values()) for row in rows]
    context.tables.overwrite(table, context.spark.createDataFrame(filled, schema))


def register_champion(context: Context) -> None:
    folder = save_counting(context.config.workspace_path / "models" / "run" / "counting", step=1)
    connection = connect(context.config)
    uri = log_model(connection, start_run(connection, "counting").id, "counting", folder, [RAW[0]])
    registry.move_alias(
        connection, "champion", registry.register(connection, uri, {registry.FINGERPRINT: "f"})
    )
