"""A stage in the diary: its counts or its error, under one run with its settings, code and packages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from sequoia import provenance
from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.report.diary import latest_lines, written_lines
from sequoia.road.stage import Context, Stage, StageResult
from sequoia.road.walk import run_stage

pytestmark = [pytest.mark.spark, pytest.mark.delta]
URI = "http://walker:pa55-w0rd@tracking.example/mlflow"


def counting(context: Context) -> StageResult:
    return StageResult(rows_in=3, rows_out=2, details={"store": context.config.tracking.uri, "k": 5})


def stage(run: Callable[[Context], StageResult], name: str = "ingest") -> Stage:
    return Stage(name=name, help="", run=run)


def test_one_run_id_for_all_processes_of_a_run(make_context: Callable[..., Context]) -> None:
    assert make_context("run_id=job-7_2.1").run_id == "job-7_2.1"
    assert make_context("run_id=20261121").run_id == "20261121"
    assert len({make_context().run_id, make_context().run_id}) == 2
    for unfit in ("a b", "x" * 65, "../up"):
        with pytest.raises(UserError, match="run_id"):
            load_config(overrides=[f"run_id={unfit}"])


def test_a_run_leaves_its_settings_code_packages_and_user(make_context: Callable[..., Context]) -> None:
    context = make_context(f"tracking.uri={URI}", "training.epochs=3")
    for name in ("ingest", "index"):
        run_stage(stage(counting, name), context)
    [row] = context.tables.read("runs").collect()
    assert (row["run_id"], row["code"], row["actor"]) == (
        context.run_id,
        provenance.code_version(),
        provenance.actor(),
    )
    assert row["packages"] == provenance.package_versions()
    settings = json.loads(row["settings"])
    assert settings["training"]["epochs"] == 3
    assert settings["tracking"]["uri"] == "http://walker:***@tracking.example/mlflow"
    lines = context.tables.read("stage_runs").collect()
    assert {line["stage"]: (line["status"], line["settings_hash"]) for line in lines} == {
        "ingest": ("done", row["settings_hash"]),
        "index": ("done", row["settings_hash"]),
    }
    assert json.loads(lines[0]["details"]) == {"store": settings["tracking"]["uri"], "k": 5}


def test_the_hash_is_of_what_a_run_does_not_of_its_name(make_context: Callable[..., Context]) -> None:
    same = {
        provenance.settings_hash(make_context(*o).config) for o in ([], ["run_id=a", "logging.format=json"])
    }
    assert len(same) == 1
    assert provenance.settings_hash(make_context("seed=1").config) not in same


def test_a_failed_stage_reaches_the_diary_and_the_report_looks_past_it(
    make_context: Callable[..., Context],
) -> None:
    context = make_context()

    def refused(context: Context) -> StageResult:
        context.tables.writes["interactions"] = 7
        raise UserError(f"{URI} does not answer: start it")

    run_stage(stage(counting), context)
    with pytest.raises(UserError, match="does not answer"):
        run_stage(stage(refused), context)
    rows = context.tables.read("stage_runs").orderBy("finished").collect()
    assert [(row["status"], row["rows_in"], row["error_type"]) for row in rows] == [
        ("done", 3, None),
        ("failed", None, "UserError"),
    ]
    assert rows[1]["error"] == "http://walker:***@tracking.example/mlflow does not answer: start it"
    assert latest_lines(context)["ingest"].rows_in == 3
    assert [line.writes for line in written_lines(context)] == [{"interactions": 7}, {}]


@pytest.mark.parametrize("error", [RuntimeError("x" * 5000), KeyboardInterrupt(), AssertionError()])
def test_any_error_and_an_interruption_are_written_down(
    make_context: Callable[..., Context], error: BaseException
) -> None:
    context = make_context()

    def failing(context: Context) -> StageResult:
        raise error

    with pytest.raises(type(error)):
        run_stage(stage(failing), context)
    [row] = context.tables.read("stage_runs").collect()
    assert row["error_type"] == type(error).__name__
    assert 0 < len(row["error"]) <= 2000


def test_a_diary_that_cannot_be_written_does_not_hide_the_error(
    make_context: Callable[..., Context], capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context()
    run_stage(stage(counting), context)

    def failing(context: Context) -> StageResult:
        table = context.config.workspace_path / "warehouse" / "stage_runs"
        shutil.rmtree(table)
        table.write_text("no folder any more")
        raise UserError("the first error: mend it")

    with pytest.raises(UserError, match="the first error"):
        run_stage(stage(failing), context)
    assert "    warning: the diary could not be written (" in capsys.readouterr().err
