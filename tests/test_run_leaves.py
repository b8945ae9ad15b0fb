"""One small run with a tracking server behind a password: what it shows, leaves, and is told before it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia import log
from sequoia.config import Config, load_config
from sequoia.guard import guarded
from sequoia.provenance import code_version, settings_hash
from sequoia.road.dry_run import describe
from sequoia.road.stage import Context
from sequoia.road.stages import ROAD
from sequoia.road.walk import run_named
from sequoia.tables.contracts import table_names
from sequoia.tracking.connection import connect

pytestmark = [pytest.mark.spark, pytest.mark.delta, pytest.mark.mlflow, pytest.mark.slow]
PASSWORD = "pa55-w0rd-of-nobody"
SMALL = [
    *("training.models=[counting]", "training.launcher=single", "training.validation_users=20"),
    *("models.counting.window=[1]", "models.counting.last=[1]", "models.counting.decay=[0.5]"),
    *(
        "negatives.candidates=4",
        "evaluate.bootstrap_samples=100",
        "recommend.sample_users=1",
        "recommend.k=3",
    ),
    *("promote.minimum=0.001", "run_id=night-7", "spark.driver_memory=3g"),
    f"spark.conf.spark.hadoop.fs.s3a.secret.key={PASSWORD}",
]


def ratings(users: int) -> str:
    """Return a ratings CSV of 2018 in which everybody walks through 12 items, one a day."""
    lines = (
        f"B{(user + day) % 12},u{user},5.0,{1_400_000_000 + 86_400 * day}"
        for user in range(users)
        for day in range(7)
    )
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[bytes], Path]]:
    """An MLflow server; its address with user and password, its process, and its folder."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stores = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    stores += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *stores]
    with (folder / "log").open("wb") as lines:
        process = subprocess.Popen(command, stdout=lines, stderr=lines)
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
            break
        except OSError:
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.5)
    yield f"http://walker:{PASSWORD}@127.0.0.1:{port}", process, folder
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def config(server: tuple[str, object, Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("run")
    (folder / "raw").mkdir()
    (folder / "raw" / "Toys.csv").write_text(ratings(60))
    return load_config(
        overrides=[
            *SMALL,
            f"workspace={folder / 'workspace'}",
            f"ingest.raw={folder / 'raw'}",
            f"tracking.uri={server[0]}",
        ]
    )


@pytest.fixture(scope="module")
def walked(spark: SparkSession, config: Config, capfd_of_module: Callable[[], str]) -> tuple[Context, str]:
    """Walk the road; return its context and all that it showed."""
    from sequoia.report.terminal import show_summary

    context = Context(config)
    with context.locked():
        for name in ROAD:
            run_named(name, context)
        show_summary(context)
    return context, capfd_of_module()


@pytest.fixture(scope="module")
def capfd_of_module() -> Iterator[Callable[[], str]]:
    """Catch both streams of this process and its children over several fixtures."""
    from _pytest.capture import FDCapture

    captures = [FDCapture(1), FDCapture(2)]
    for capture in captures:
        capture.start()
    yield lambda: "".join(str(capture.snap()) for capture in captures)
    for capture in captures:
        capture.done()


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below a folder."""
    stats = {str(path): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def test_before_the_first_run_a_dry_run_knows_the_files_only(config: Config) -> None:
    told = describe(list(ROAD), config).splitlines()
    assert (
        told[0]
        == "Would run ingest, index, sequences, negatives, train, evaluate, promote, recommend, report"
    )
    assert f"code {code_version()}, settings {settings_hash(config)}" in told[1]
    assert next(line for line in told if line.startswith("Toys.csv")).split() == [
        "Toys.csv",
        "9.2",
        "kB",
        "ratings",
    ]
    assert sum("no earlier run" in line for line in told) == len(ROAD)
    assert told[-1] == "Nothing was written"
    assert not config.workspace_path.exists()


def test_the_password_is_nowhere(walked: tuple[Context, str], server: tuple[str, object, Path]) -> None:
    context, shown = walked
    assert "==> report" in shown
    assert "http://walker:***@127.0.0.1" in shown
    assert PASSWORD not in shown
    for folder in (context.config.workspace_path, server[2]):
        found = [
            str(path)
            for path in folder.rglob("*")
            if path.is_file() and PASSWORD.encode() in path.read_bytes()
        ]
        assert found == []
    for table in table_names():
        if context.tables.exists(table):
            rows = context.tables.read(table).collect()
            assert PASSWORD not in str(rows), table
    summary = json.loads((context.config.workspace_path / "summary.json").read_text())
    assert summary["paths"]["mlflow"].startswith("http://walker:***@127.0.0.1")


def test_the_training_run_says_what_made_it(walked: tuple[Context, str], tmp_path: Path) -> None:
    context, _ = walked
    client = connect(context.config).client
    [line] = context.tables.read("stage_runs").where("stage = 'train'").collect()
    run_id = json.loads(line["details"])["models"]["counting"]["mlflow_run_id"]
    tags = client.get_run(run_id).data.tags
    assert tags["sequoia.run_id"] == line["run_id"] == "night-7"
    assert tags["sequoia.code"] == code_version()
    assert tags["sequoia.settings_hash"] == line["settings_hash"] == settings_hash(context.config)
    stored = {}
    for name in ("settings.json", "packages.json"):
        stored[name] = json.loads(Path(client.download_artifacts(run_id, name, str(tmp_path))).read_text())
    assert stored["settings.json"]["training"]["models"] == ["counting"]
    assert stored["settings.json"]["spark"]["conf"] == {"spark.hadoop.fs.s3a.secret.key": "***"}
    assert stored["packages.json"]["pyspark"] == "3.5.9"


def test_a_dry_run_estimates_after_the_last_run_and_writes_nothing(walked: tuple[Context, str]) -> None:
    config = walked[0].config
    before = everything_in(config.workspace_path)
    told = describe(["ingest", "train"], config)
    lines = {line.split()[0]: line.split() for line in told.splitlines() if line}
    assert lines["ingest"][1] == "420"
    assert lines["train"][1] == "60"
    assert lines["train"][-2:] == ["run", "night-7"]
    assert "no earlier run" not in told and "Scaled" not in told
    raw = Path(str(config.ingest.raw)) / "Toys.csv"
    text = raw.read_text()
    raw.write_text(text + text)
    try:
        told = describe(["ingest", "train"], config)
    finally:
        raw.write_text(text)
    lines = {line.split()[0]: line.split() for line in told.splitlines() if line}
    assert (lines["ingest"][1], lines["train"][1]) == ("840", "120")
    assert "Scaled by the input's size, 2.00 times that of the last run" in told
    changed = config.model_copy(update={"seed": 1})
    assert "* with other settings than now" in describe(["train"], changed)
    assert everything_in(config.workspace_path) == before


def test_an_error_of_the_server_is_told_without_the_password(
    walked: tuple[Context, str],
    server: tuple[str, subprocess.Popen[bytes], Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The last chapter: the server is stopped."""
    monkeypatch.setitem(os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    server[1].terminate()
    server[1].wait()
    context = Context(walked[0].config)
    assert guarded(lambda: run_named("recommend", context)) in (1, 2)
    shown = "".join(capfd.readouterr())
    assert "==> recommend" in shown
    assert PASSWORD not in shown
    failed = context.tables.read("stage_runs").where("status = 'failed'").collect()
    assert [row["stage"] for row in failed] == ["recommend"]
    assert "127.0.0.1" in failed[0]["error"]
    assert PASSWORD not in failed[0]["error"]
    log.start()
