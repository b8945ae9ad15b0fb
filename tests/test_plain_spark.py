"""A Spark as it is downloaded, without Delta: its jars come with the command, or the command says which."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from sequoia.spark import DELTA_PACKAGE

ROOT = Path(__file__).parents[1]
SPARK = Path(pyspark.__file__).parent
COMMAND = (sys.executable, "-c", "from sequoia.cli import main; main()")


@pytest.fixture
def plain_spark(tmp_path: Path) -> Path:
    """This environment's Spark without the jars that `make setup` put beside its own."""
    home = tmp_path / "spark"
    (home / "jars").mkdir(parents=True)
    for entry in SPARK.iterdir():
        if entry.name != "jars":
            (home / entry.name).symlink_to(entry)
    for jar in (SPARK / "jars").iterdir():
        if not jar.name.startswith("delta-"):
            (home / "jars" / jar.name).symlink_to(jar)
    return home


def jars() -> str:
    """Return what `--packages` of Delta would fetch, for `--jars`: no network here."""
    found = [*(SPARK / "jars").glob("delta-*.jar")]
    assert len(found) == 2
    return ",".join(map(str, found))


def run(*command: str | Path, spark: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SPARK_HOME": str(spark), "PYSPARK_PYTHON": sys.executable}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.spark
def test_without_delta_the_command_says_which_package_brings_it(plain_spark: Path, tmp_path: Path) -> None:
    workspace = f"workspace={tmp_path / 'workspace'}"
    done = run(*COMMAND, "index", workspace, "spark.driver_memory=1g", spark=plain_spark)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "sequoia: Spark finds no Delta jars: run `make setup`, or submit with `spark-submit --packages "
        f"{DELTA_PACKAGE}`"
    )


@pytest.mark.spark
def test_delta_that_a_setting_brings_is_found(plain_spark: Path, tmp_path: Path) -> None:
    settings = [f"workspace={tmp_path / 'workspace'}", "spark.driver_memory=1g"]
    done = run(*COMMAND, "index", *settings, f"spark.conf.spark.jars={jars()}", spark=plain_spark)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].endswith("interactions` does not exist: run ingest first")


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.slow
def test_delta_that_spark_submit_brings_is_enough_for_a_job(plain_spark: Path, tmp_path: Path) -> None:
    raw, workspace = tmp_path / "Toys.csv", tmp_path / "workspace"
    raw.write_text("B1,u1,5.0,1400000000\nB2,u1,4.0,1400000100\n")
    submit = [plain_spark / "bin" / "spark-submit", "--master", "local[2]", "--driver-memory", "1g"]
    submit += ["--jars", jars(), ROOT / "jobs" / "ingest.py"]
    done = run(*submit, f"ingest.raw={raw}", f"workspace={workspace}", spark=plain_spark)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "2 rows in, 2 rows out" in done.stdout
    assert (workspace / "warehouse" / "interactions" / "_delta_log").is_dir()
