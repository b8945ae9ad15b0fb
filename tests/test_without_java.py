"""What looks, goes back, copies or cleans works in a folder of this machine without Java."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect

SMALL = ["ingest.raw=generated", "synthetic.users=100", "synthetic.themes=2"]


@pytest.fixture
def type_it(tmp_path: Path, with_store: None) -> Callable[..., str]:
    """Return a function that runs a command where no Java is found, and gives what it says."""
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "nowhere")}
    command = [str(Path(sys.executable).with_name("sequoia"))]

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [*command, *words, f"workspace={tmp_path / 'workspace'}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    return run


@pytest.mark.mlflow
def test_no_java_is_asked_for(type_it: Callable[..., str], tmp_path: Path) -> None:
    config = load_config(overrides=[f"workspace={tmp_path / 'workspace'}"])
    connection = connect(config)
    connection.client.create_registered_model(connection.registered_model)
    for _ in range(2):
        connection.client.create_model_version(connection.registered_model, "file:///nowhere")
    newer = registry.find_version(connection, "2")
    assert newer is not None
    registry.set_tag(connection, newer, registry.PREVIOUS, "1")
    registry.move_alias(connection, "champion", newer)

    type_it("rollback", "--reason", "a look back")
    assert registry.required_alias(connection, "champion").number == "1"
    assert "nothing to remove" in type_it("clean", "--dry-run")
    assert "nothing to remove" in type_it("clean")
    assert "corpus of these settings" not in type_it("generate", *SMALL)
    assert "is in" in type_it("generate", *SMALL)
    assert "Would run ingest" in type_it("run", "--dry-run", *SMALL)
    tables = Context(config).tables
    assert [row["action"] for row in tables.rows("promotions")].count("rolled back") == 1
    lines = tables.rows("stage_runs")
    told = sorted((row["finished"], row["stage"], row["status"], row["error_type"]) for row in lines)
    assert [line[1:] for line in told] == [
        ("rollback", "done", None),
        ("clean", "done", None),
        ("generate", "done", None),
        ("generate", "done", None),
    ]
