"""The report of a shop whose versions were vacuumed, whose tables, run and model were deleted: all real."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from report.hand_written import FILES, START, append_lines, diary, trained_models
from report.test_stage import write, write_interactions, write_sequences
from tables.filled import filled_row

from sequoia.report.diary import Line
from sequoia.report.gone import Reader
from sequoia.report.lineage import Lineage, trace
from sequoia.report.shapes import read_rounds
from sequoia.report.stage import run
from sequoia.road.stage import Context
from sequoia.tables.gone import reason_gone
from sequoia.tracking.connection import connect
from sequoia.tracking.registry import FINGERPRINT, KIND
from sequoia.tracking.runs import start_run

NAME = "sequoia-next-item"
CORE = {"k": 5, "round": 0, "users": 9, "items": 9, "interactions": 9}
pytestmark = pytest.mark.usefixtures("with_store")
CHECKSUM = {"format": "reviews", "bytes": 1234, "fingerprint": "sum-of-a-file"}


def write_training(context: Context, users: int) -> None:
    zeros = [0] * 3
    rows = [(0, user, [0, 2, 3], zeros, [0.0] * 3, 2) for user in range(2, 2 + users)]
    write(context, "training", rows)


def write_shop(context: Context) -> tuple[str, str]:
    """Write what the lineage of version 1 runs through, as nine stages would; return run and version."""
    write_interactions(context)
    write_sequences(context)
    write_training(context, 5)
    context.tables.replace_rows("kcore", [CORE])
    client = connect(context.config).client
    tags = {"sequoia.training_version": "1", "sequoia.training_rows": "5", "sequoia.training_data": "f00d"}
    mlflow_run = start_run(connect(context.config), "sasrec", tags).id
    client.create_registered_model(NAME)
    version_tags = {FINGERPRINT: "5a", KIND: "sasrec", "training_run": mlflow_run}
    client.create_model_version(NAME, "file:///nowhere", mlflow_run, tags=version_tags)
    decided = START + timedelta(minutes=6, seconds=30)
    told = {"decided": decided, "action": "promoted", "challenger": "sasrec", "version": "1"}
    context.tables.add_rows("promotions", [filled_row(context.tables.schema("promotions"), told)])
    write(context, "recommendations", [("u1", ["i9"], [1.0], "sequence", NAME, "1", 1, "run1", START)])
    append_lines(context, *lines_of_the_run(mlflow_run).values())
    return mlflow_run, "1"


def lines_of_the_run(mlflow_run: str) -> dict[str, Line]:
    lines = diary()
    files = [{**file, **CHECKSUM} for file in FILES]
    models = trained_models()
    models["sasrec"]["mlflow_run_id"] = mlflow_run
    snapshot = {"table": "training", "version": 1, "fingerprint": "f00d"}
    model = {"name": NAME, "version": "1", "alias": "champion"}
    writes: dict[str, dict[str, int]] = {
        # Version 0 of a table is its making, without rows.
        "ingest": {"interactions": 1, "files": 1},
        "sequences": {"sequences": 1, "training": 1, "kcore": 1},
        "recommend": {"recommendations": 0},
    }
    lines["ingest"] = replace(lines["ingest"], details={**lines["ingest"].details, "files": files})
    lines["sequences"] = replace(lines["sequences"], reads={"interactions": 1})
    trained = {**lines["train"].details, "models": models, "snapshot": snapshot}
    lines["train"] = replace(lines["train"], rows_in=5, details=trained)
    for stage in ("promote", "recommend"):
        lines[stage] = replace(lines[stage], details={**lines[stage].details, "model": model})
    return {stage: replace(line, writes=writes.get(stage, {})) for stage, line in lines.items()}


def vacuum(context: Context, *tables: str) -> None:
    """Remove every file that the newest version does not need, however young."""
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    context.spark.conf.set(check, "false")
    for table in tables:
        context.spark.sql(f"VACUUM {context.tables.identifier(table)} RETAIN 0 HOURS")
    context.spark.conf.unset(check)


def erase(context: Context, *tables: str) -> None:
    for table in tables:
        shutil.rmtree(context.config.workspace_path / "warehouse" / table)


def lineage(context: Context, mlflow_run: str) -> Lineage:
    return trace(context, lines_of_the_run(mlflow_run)["recommend"])


def gone(found: Lineage) -> dict[str, str]:
    return {step.title: step.gone for step in found.steps if step.gone}


def page(context: Context) -> str:
    assert run(context).details["documents"] == ["summary.json", "report.html"]
    return (context.config.workspace_path / "report.html").read_text(encoding="utf-8")


def test_the_report_outlives_what_it_tells_of(make_context: Callable[..., Context]) -> None:
    context = make_context()
    mlflow_run, version = write_shop(context)
    whole = lineage(context, mlflow_run)
    assert gone(whole) == {}
    assert [(file.source, file.bytes, file.fingerprint) for file in whole.files] == [
        (file["name"], 1234, "sum-of-a-file") for file in FILES
    ]

    # Another night has written newer versions, and the old files are vacuumed away.
    write_training(context, 7)
    write_interactions(context)
    assert gone(lineage(context, mlflow_run)) == {}
    vacuum(context, "training", "interactions", "stage_runs")
    found = lineage(context, mlflow_run)
    assert set(gone(found)) == {"Training rows", "Interactions"}
    assert all("VACUUM" in reason for reason in gone(found).values())
    assert [step.facts for step in found.steps] == [step.facts for step in whole.steps]
    assert found.files == whole.files
    assert "interactions per month" in page(context)

    # Sequences were erased and written anew; the rest of the shop goes too, in MLflow as well.
    erase(context, "sequences")
    for _ in range(2):
        write_sequences(context)
    newest = replace(lines_of_the_run(mlflow_run)["sequences"], writes={"sequences": 9, "training": 1})
    append_lines(context, replace(newest, finished=newest.finished + timedelta(seconds=1)))
    assert "no longer in the table's history" in gone(lineage(context, mlflow_run))["Sequences"]
    client = connect(context.config).client
    client.delete_model_version(NAME, version)
    client.delete_run(mlflow_run)
    erase(context, "training", "sequences", "interactions", "kcore", "recommendations")
    found = lineage(context, mlflow_run)
    assert set(gone(found)) == {step.title for step in found.steps}
    facts = {step.title: dict(step.facts) for step in found.steps}
    assert facts["Registered model"] == {
        "Version": f"1 of {NAME}",
        "Kind": "sasrec",
        "Fingerprint of settings and data": "5a",
    }
    assert facts["MLflow run"]["Run"] == mlflow_run
    assert facts["Training rows"] == {
        "Table": "training, version 1",
        "Fingerprint of the data": "f00d",
        "Rows": "5",
    }
    assert facts["Recommendations"]["Rows"] == f"{lines_of_the_run(mlflow_run)['recommend'].rows_out:,}"
    assert facts["Interactions"]["Table"] == "interactions, version 1"
    written = page(context)
    assert written.count("gone: ") >= len(found.steps)
    for table in ("interactions", "kcore", "sequences"):
        assert f"{table} (gone: the table does not exist any more)" in written


def test_a_small_table_whose_files_are_gone_is_called_so(make_context: Callable[..., Context]) -> None:
    context, reader = make_context(), Reader()
    context.tables.replace_rows("kcore", [CORE])
    for file in (context.config.workspace_path / "warehouse" / "kcore").glob("*.parquet"):
        file.unlink()
    assert reader.read("kcore", lambda: read_rounds(context)) is None
    assert "VACUUM" in reader.gone["kcore"]


def test_without_a_champion_nothing_is_called_gone(make_context: Callable[..., Context]) -> None:
    context = make_context()
    lines = lines_of_the_run("run-sasrec")
    none = {"name": NAME, "version": None, "alias": "champion"}
    told = {**lines["recommend"].details, "model": none}
    lines["recommend"] = replace(lines["recommend"], rows_out=0, writes={}, details=told)
    append_lines(context, *lines.values())
    found = trace(context, lines["recommend"])
    assert [(step.title, step.gone) for step in found.steps] == [("Recommendations", "")]
    assert [file.source for file in found.files] == [file["name"] for file in FILES]


@pytest.mark.parametrize(
    "message",
    ["[PERMISSION_DENIED] no SELECT on interactions", "Connection refused", "java.lang.OutOfMemoryError"],
)
def test_other_failures_are_not_called_gone(message: str) -> None:
    assert reason_gone(RuntimeError(message)) is None
