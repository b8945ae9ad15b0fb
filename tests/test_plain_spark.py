"""A Spark as it is downloaded, without Delta: the command is told what to submit with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from sequoia.spark import DELTA_PACKAGE

SPARK = Path(pyspark.__file__).parent


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


@pytest.mark.spark
def test_without_delta_the_command_says_which_package_brings_it(plain_spark: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from sequoia.cli import main; main()", "index"]
    done = subprocess.run(
        [*command, f"workspace={tmp_path / 'workspace'}", "spark.driver_memory=1g"],
        env={**os.environ, "SPARK_HOME": str(plain_spark)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "sequoia: Spark finds no Delta jars: run `make setup`, or submit with `spark-submit --packages "
        f"{DELTA_PACKAGE}`"
    )
