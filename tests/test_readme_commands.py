"""The README's commands as a user types them: `make demo`, what comes after it, and events of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [
    *(pytest.mark.spark, pytest.mark.delta, pytest.mark.mlflow, pytest.mark.horovod),
    *(pytest.mark.slow, pytest.mark.long),
]
SMALL = """
extends: demo.yaml
synthetic: {users: 4000, themes: 8, active_share: 0.16}
training: {epochs: 2, validation_users: 200}
models:
  sasrec: {width: 16, blocks: 1}
  counting: {window: [2], last: [3], decay: [0.7]}
negatives: {candidates: 20}
evaluate: {bootstrap_samples: 100}
"""


def typed(*command: str | Path, code: int = 0) -> str:
    """Run a command in the project's folder and return all that it says."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    assert done.returncode == code, done.stdout[-5000:]
    return done.stdout


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The demo's settings on a smaller corpus."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def demo(workspace: Path, config: Path, launcher: str) -> None:
    """Type `make demo` and look at what it left behind."""
    assert "make demo" in (ROOT / "README.md").read_text(encoding="utf-8")
    typed("make", "demo", f"LAUNCHER={launcher}", f"WORKSPACE={workspace}", f"CONFIG={config}")
    summary = json.loads((workspace / "summary.json").read_text())
    assert summary["recommendations"]["users"] == summary["ingest"]["users"] > 1000
    assert summary["model"]["version"] == "1"
    assert (workspace / "report.html").is_file()


def test_the_demo_without_horovod(tmp_path: Path, config: Path) -> None:
    demo(tmp_path / "shop", config, "torchrun")


def test_the_demo_and_the_commands_after_it(tmp_path: Path, config: Path) -> None:
    workspace = tmp_path / "shop"
    demo(workspace, config, "horovod")
    settings = ["--config", config, f"workspace={workspace}"]
    assert str(workspace) in typed("sequoia", "config", "workspace", *settings)
    assert "Would run ingest" in typed("sequoia", "run", "--dry-run", *settings)
    assert "nothing to remove" in typed("sequoia", "clean", "--dry-run", *settings)
    assert "is the champion already" in typed("sequoia", "promote", "--dry-run", *settings)
    typed("sequoia", "rollback", "--reason", "a look back", *settings, code=2)
    typed("sequoia", "release", "--from", "sequoia-next-item", "--to", "another.shop.next_item", *settings)
    typed("sequoia", "sequences", "sequences.k=6", *settings)

    # The two jobs that no other test submits.
    submit = ["spark-submit", "--master", "local[2]", "--driver-memory", "2g"]
    names = ["--from", "another.shop.next_item", "--to", "third.shop.next_item"]
    typed(*submit, ROOT / "jobs" / "release.py", *names, *settings)
    typed(*submit, ROOT / "jobs" / "clean.py", "--dry-run", *settings)


def test_events_of_one_s_own(tmp_path: Path) -> None:
    """The command of the README's section, its line of columns word for word."""
    log = tmp_path / "events.csv"
    lines = (
        f"c{user},s{(user + day) % 12},{1_400_000_000 + 86_400 * day}"
        for user in range(60)
        for day in range(7)
    )
    log.write_text("\n".join(["customer_id,sku,ts", *lines]) + "\n")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    columns = "ingest.columns.user=customer_id ingest.columns.item=sku ingest.columns.time=ts"
    assert columns in readme
    small = [
        "training.models=[counting]",
        "training.validation_users=20",
        "negatives.candidates=4",
        "recommend.k=3",
    ]
    places = [f"workspace={tmp_path / 'mine'}", f"ingest.raw={log}"]
    typed("sequoia", "run", "--config", "demo.yaml", *places, *columns.split(), *small)
    summary = json.loads((tmp_path / "mine" / "summary.json").read_text())
    assert summary["ingest"]["interactions"] == 420
    assert summary["recommendations"] == {"users": 60, "k": 3}


def test_the_data_plane_is_timed_beside_duckdb(tmp_path: Path) -> None:
    """On few rows: both find the same interactions, users, items and sequences, or it ends with an error."""
    assert "make bench-data" in (ROOT / "README.md").read_text(encoding="utf-8")
    said = typed("make", "bench-data", "ROWS=20000", f"WORKSPACE={tmp_path}", "ARGS=--reviews 5000")
    found = json.loads((tmp_path / "bench" / "data.json").read_text())
    assert found["rows"] == 20_000
    stages = ("ingest_csv", "index", "kcore", "sequences", "ingest_json")
    assert all(found["stages"][name]["ratio_duckdb"] > 0 for name in stages)
    assert found["stages"]["negatives"]["sets_s"] > 0
    assert found["peak_gib"] > 0
    assert "duckdb s" in said
