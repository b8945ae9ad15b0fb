"""The road with workspace and raw files on an object store, and MLflow on a server: all three are processes.

`make test-remote` fetches the jars that Spark needs for s3a:// and runs this; elsewhere it is skipped.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sequoia.config import load_config
from sequoia.local_files import publish
from sequoia.storage import entries, locate
from sequoia.synthetic.corpus import write_corpus

pytestmark = [pytest.mark.remote, pytest.mark.spark, pytest.mark.delta, pytest.mark.mlflow]

SETUP = Path(__file__).parents[1] / "conf" / "setup"
SMALL = [
    *("synthetic.users=2000", "synthetic.themes=8", "synthetic.active_share=0.16", "spark.master=local[2]"),
    *(
        "training.epochs=2",
        "training.validation_users=100",
        "training.launcher=single",
        "training.processes=1",
    ),
    *("models.sasrec.width=16", "models.sasrec.blocks=1", "evaluate.bootstrap_samples=100"),
    *("models.counting.window=[2]", "models.counting.last=[3]", "models.counting.decay=[0.7]"),
    *("negatives.candidates=20", "recommend.sample_users=2", "spark.driver_memory=2g"),
]


@pytest.fixture(scope="module")
def jars() -> list[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SETUP)
        import s3_jars

        found: list[Path] = s3_jars.cached()
    if not found:
        pytest.skip("the jars for s3a:// are not fetched: run `make test-remote`")
    return found


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An S3 endpoint with the bucket `shop` and an MLflow server; yields their addresses."""
    folder = tmp_path_factory.mktemp("servers")
    ports = {name: free_port() for name in ("s3", "mlflow")}
    store = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "artifacts"),
    ]
    commands = [
        ["-m", "moto.server", "-H", "127.0.0.1", "-p", str(ports["s3"])],
        [
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(ports["mlflow"]),
            "--workers",
            "1",
            *store,
        ],
    ]
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    # MLflow's server starts a dozen processes for jobs that nobody has here.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        options: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": folder, "env": environment}
        processes = [
            subprocess.Popen([sys.executable, *command], start_new_session=True, **options)
            for command in commands
        ]
        try:
            wait_for(f"{addresses['s3']}/")
            wait_for(f"{addresses['mlflow']}/health")
            urllib.request.urlopen(urllib.request.Request(f"{addresses['s3']}/shop", method="PUT"))
            yield addresses
        finally:
            for process in processes:
                os.killpg(process.pid, 15)
                process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


def test_the_road_on_an_object_store(
    tmp_path: Path, jars: list[Path], servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for key, value in {
        **keys,
        "AWS_ENDPOINT_URL": servers["s3"],
        "SEQUOIA_COPIES": str(tmp_path / "one"),
    }.items():
        monkeypatch.setenv(key, value)
    raw, workspace = "s3a://shop/raw files", "s3a://shop/my shop"
    write_corpus(tmp_path / "raw", load_config(overrides=SMALL).synthetic)
    publish(tmp_path / "raw", locate(raw))
    conf = {
        "spark.jars": ",".join(map(str, jars)),
        "spark.hadoop.fs.s3a.endpoint": servers["s3"],
        "spark.hadoop.fs.s3a.path.style.access": "true",
    }
    places = [f"workspace={workspace}", f"ingest.raw={raw}", f"tracking.uri={servers['mlflow']}"]
    settings = [*SMALL, *places, f"spark.conf={json.dumps(conf)}"]
    walk(tmp_path, "run", *settings)

    found = {entry.relative for entry in entries(locate(workspace))}
    summary = json.loads((locate(workspace) / "summary.json").read_text())
    assert summary["recommendations"]["users"] == summary["ingest"]["users"] > 1000
    assert set(summary["metrics"]) == {"counting", "sasrec"}
    assert summary["paths"]["warehouse"] == "s3://shop/my shop/warehouse"
    assert {"report.html", "models/latest.json"} <= found
    assert {name.partition("/")[0] for name in found} == {
        "warehouse",
        "models",
        "checkpoints",
        "summary.json",
        "report.html",
    }
    assert not [name for name in found if ".inputs-" in name or "partial" in name]
    assert len([name for name in found if name.startswith("checkpoints/") and name.endswith("/latest")]) == 1
    assert not list(tmp_path.glob("s3a:*"))

    # Another machine has no copies: everything it needs comes from the store.
    monkeypatch.setenv("SEQUOIA_COPIES", str(tmp_path / "two"))
    assert "nothing changed in" in walk(tmp_path, "ingest", *settings)
    assert walk(tmp_path, "train", *settings).count("trained before on the same data") == 2
    walk(tmp_path, "evaluate", *settings)
    copied = {entry.relative.rpartition("/")[2] for entry in entries(tmp_path / "two")}
    assert {"model.json", "weights.safetensors", "items.parquet"} <= copied


def walk(folder: Path, stage: str, *settings: str) -> str:
    """Run a stage as a user does; return what it says on standard error."""
    command = [str(Path(sys.executable).with_name("sequoia")), stage, *settings]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stderr
