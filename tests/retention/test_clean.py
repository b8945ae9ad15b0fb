"""`sequoia clean` forty days after three promotions: real tables, models, runs and versions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from retention.world import LATER, MARKS, NAME, fail, promote, put, removed, runs, train, versions

from sequoia.cli import cli
from sequoia.errors import UserError
from sequoia.modelling.trained import TrainedModel, write_trained
from sequoia.retention.clean import clean
from sequoia.retention.history import _history
from sequoia.retention.removal import age_of
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.registered_folder import fetch_folder, registered_cache
from sequoia.tracking.runs import start_run

MakeContext = Callable[..., Context]
pytestmark = pytest.mark.usefixtures("with_store")


def write_workspace(context: Context) -> dict[str, TrainedModel]:
    """Three champions, one after the other; a refused model; a training of tonight; and scraps."""
    models: dict[str, TrainedModel] = {}
    version: str | None = None
    for letter in "abc":
        models[letter] = train(context, letter)
        version = promote(context, models[letter], version)
    models |= {letter: train(context, letter) for letter in "de"}
    workspace = context.config.workspace_path
    write_trained(workspace, "tonight", {"counting": models["e"]})
    fail(context, "f")
    start_run(connect(context.config), "somebody's own notes").finish()
    for place in ("raw/reviews.json", "snapshots/training-9/p.parquet", "snapshots/training.5a-10/p.parquet"):
        put(workspace / place)
    put(workspace / "my notes.tmp")
    for place in ("raw.partial/half.json", "models/latest.4711.tmp", ".summary.json.4711.tmp"):
        put(workspace / place)
    put(workspace / "checkpoints" / f"counting-{MARKS['e']}" / "epoch-00002.tmp" / "model.safetensors")
    put(workspace / "models" / "registered" / "9-unknown.unfinished" / "model.json")
    return models


def tree(context: Context) -> set[str]:
    """Return all files and folders, but for the tables and the file of the MLflow store."""
    workspace = context.config.workspace_path
    names = (path.relative_to(workspace).as_posix() for path in workspace.rglob("*"))
    return {name for name in names if not name.startswith(("mlflow.db", "warehouse"))}


def test_what_nothing_needs_goes_and_all_else_stays(make_context: MakeContext) -> None:
    context = make_context("retention.champions=2")
    models = write_workspace(context)
    before, now = tree(context), datetime.now(UTC)
    assert clean(context, dry_run=True) == "nothing to remove"

    # Forty days later: what would go, with nothing gone.
    told = clean(context, dry_run=True, now=now + LATER)
    expected = [
        (".summary.json.4711.tmp", "scratch"),
        (f"checkpoints/counting-{MARKS['e']}/epoch-00002.tmp", "scratch"),
        ("models/latest.4711.tmp", "scratch"),
        ("models/registered/9-unknown.unfinished", "scratch"),
        ("raw.partial", "scratch"),
        (f"{NAME} version 1", "version"),
        (f"models/registered/1-{MARKS['a']}", "copy of a version"),
        *((f"models/counting-{MARKS[letter]}", "model folder") for letter in "ad"),
        *((f"checkpoints/counting-{MARKS[letter]}", "checkpoints") for letter in "ad"),
        *((f"counting {models[letter].mlflow_run_id}", "run") for letter in "ad"),
        ("snapshots/training-9", "snapshot"),
    ]
    failed = [line for line in removed(told) if line[0].startswith("a failed training")]
    assert len(failed) == 1
    assert sorted(removed(told)) == sorted([*expected, *failed])
    assert told.splitlines()[-1].startswith("15 would go, ")
    assert (tree(context), versions(context)) == (before, {"1", "2", "3"})
    assert len(runs(context)) == 7

    told_again = clean(context, dry_run=False, now=now + LATER)
    assert told_again.splitlines()[:-1] == told.splitlines()[:-1]
    assert versions(context) == {"2", "3"}
    assert {models[letter].mlflow_run_id for letter in "bce"} < runs(context)
    assert len(runs(context)) == 4  # and somebody's own notes
    gone = before - tree(context)
    assert {name for name, kind in expected if kind not in ("version", "run")} <= gone
    artifacts = {name for name in gone if name.startswith("mlartifacts/")}
    assert artifacts
    kept = ("my notes.tmp", "raw/reviews.json", "snapshots/training.5a-10/p.parquet", "models/latest.json")
    assert set(kept) <= tree(context)
    assert {f"models/counting-{MARKS[letter]}/model.json" for letter in "bce"} <= tree(context)
    assert not [name for name in tree(context) if ".leaving-" in name]

    # The champion serves, from its artifacts too, and the one before it is there to go back to.
    connection = connect(context.config)
    champion = registry.required_alias(connection, "champion")
    cache = registered_cache(context.config)
    shutil.rmtree(cache)
    assert (fetch_folder(connection, champion, cache) / "model.json").is_file()
    previous = registry.find_version(connection, champion.tags[registry.PREVIOUS])
    assert previous is not None
    assert (fetch_folder(connection, previous, cache) / "model.json").is_file()

    assert clean(context, dry_run=False, now=now + LATER) == "nothing to remove"


def test_nothing_goes_when_what_is_needed_cannot_be_told(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context()
    train(context, "a")
    before, later = tree(context), datetime.now(UTC) + LATER
    (context.config.workspace_path / "models" / "latest.json").write_text("{")
    with pytest.raises(UserError, match=r"nothing is removed: .*latest.json is damaged"):
        clean(context, dry_run=False, now=later)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        clean(make_context("tracking.uri=http://127.0.0.1:9"), dry_run=False, now=later)
    assert tree(context) - {"models/latest.json"} == before


def test_old_files_of_tables_go_by_vacuum_and_the_newest_version_stays(make_context: MakeContext) -> None:
    context = make_context()
    schema = context.tables.schema("vocabulary")
    for count in (3, 2):
        rows = [(row, row, str(row), 1, 1, 1, 0, 0.0, 0) for row in range(2, 2 + count)]
        context.tables.overwrite("vocabulary", context.spark.createDataFrame(rows, schema))
    assert _history(context, "vocabulary", 24 * context.config.retention.history_days) is None
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    context.spark.conf.set(check, "false")
    try:
        removal = _history(context, "vocabulary", 0)
        assert removal is not None
        files = set((context.config.workspace_path / "warehouse" / "vocabulary").glob("*.parquet"))
        removal.remove()
        left = set((context.config.workspace_path / "warehouse" / "vocabulary").glob("*.parquet"))
    finally:
        context.spark.conf.unset(check)
    gone = files - left
    assert removal.name == f"vocabulary, {len(gone)} files"
    assert gone
    assert context.tables.read("vocabulary").count() == 2
    assert _history(context, "vocabulary", 24 * 7) is None


def test_of_a_partitioned_table_only_what_was_replaced_is_old(make_context: MakeContext) -> None:
    """Folders of partitions hold Hadoop's checksums of live files, too; names need escapes."""
    context = make_context()
    schema = context.tables.schema("products")
    row = ("a/b c.json", "f", 1, "i", None, None, None, [], None, None)
    rows = context.spark.createDataFrame([row], schema)
    context.tables.overwrite("products", rows)
    assert context.tables.old_files("products", 0) == []
    folder = context.config.workspace_path / "warehouse" / "products"
    before = list(folder.rglob("*.parquet"))
    context.tables.overwrite("products", rows)
    assert context.tables.old_files("products", 0) == before
    assert len(before) == 1


def test_less_than_a_week_of_history_is_refused(make_context: MakeContext) -> None:
    with pytest.raises(UserError, match=r"retention\.history_days"):
        make_context("retention.history_days=6")


def test_a_folder_is_as_old_as_its_newest_file(tmp_path: Path) -> None:
    put(tmp_path / "model" / "weights")
    later = datetime.now(UTC) + timedelta(days=3)
    assert age_of(tmp_path / "model", later) == pytest.approx(3, abs=0.01)


def test_the_command_and_its_dry_run_by_flag_and_by_setting(
    make_context: MakeContext, tmp_path: Path
) -> None:
    context = make_context(f"workspace={tmp_path / 'new'}")
    half = tmp_path / "new" / "raw.partial" / "half.json"
    put(half)
    three_days_ago = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    for path in (half, half.parent):
        os.utime(path, (three_days_ago, three_days_ago))
    for chosen, line, written in (
        ("--dry-run", "1 would go, 0.0 kB", []),
        ("retention.dry_run=true", "1 would go, 0.0 kB", []),
        ("retention.dry_run=false", "1 removed, 0.0 kB", [("clean", "done")]),
    ):
        assert half.is_file()
        done = CliRunner().invoke(cli, ["clean", chosen, f"workspace={tmp_path / 'new'}"])
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, line)
        diary = context.tables.read("stage_runs").collect() if context.tables.exists("stage_runs") else []
        assert [(row["stage"], row["status"]) for row in diary] == written
    assert not half.parent.exists()
