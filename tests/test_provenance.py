"""Who ran something, as the diary and the audit say it; the code's version is in test_package.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia.provenance import actor

LIB = Path(__file__).parents[1] / "lib"


def test_on_databricks_spark_knows_who_runs_the_job(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "the-process")
    assert actor() == "the-process"
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "15.4")
    [row] = spark.sql("SELECT current_user()").collect()
    assert actor() == row[0] != "the-process"


def test_where_spark_has_not_started_or_is_not_there_it_is_the_user_of_the_process() -> None:
    program = "import sys, sequoia.provenance as p; print(p.actor(), 'pyspark.sql' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(LIB), "LOGNAME": "ada"}
    for on_databricks, isolated, told in [
        ({}, [], "ada False"),
        ({"DATABRICKS_RUNTIME_VERSION": "15.4"}, [], "ada True"),
        ({"DATABRICKS_RUNTIME_VERSION": "15.4"}, ["-S"], "ada False"),  # no packages at all
    ]:
        command = [sys.executable, *isolated, "-c", program]
        done = subprocess.run(
            command, env={**environment, **on_databricks}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == told
