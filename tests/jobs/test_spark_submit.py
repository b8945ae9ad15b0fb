"""The jobs under a real spark-submit, and the same by the console command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sequoia.cli import cli
from sequoia.road.stage import Context

JOBS = Path(__file__).parents[2] / "jobs"
SUBMIT = Path(sys.executable).with_name("spark-submit")

# Of 2018: item, user, stars, seconds. One line is there twice, one has no number of stars.
RATINGS = """\
B1,u1,5.0,1400000000
B1,u2,4.0,1400000100
B2,u1,3.0,1400000200
B2,u1,3.0,1400000200
B3,u2,nine,1400000300
"""
REVIEWS = [
    {"reviewerID": "u3", "asin": "B1", "overall": 5.0, "unixReviewTime": 1400000400, "verified": True},
    {"reviewerID": "u1", "asin": "B3", "overall": 2.0, "unixReviewTime": 1400000500, "reviewText": "So, so."},
]
PRODUCTS = [
    {"asin": "B1", "title": "Kite", "brand": "Windy", "price": "$9.99", "category": ["Toys", "Outdoor"]},
    {"asin": "B2", "title": "Drum", "category": ["Toys", "Music"]},
]
TABLES = (
    "interactions",
    "items",
    "quarantine",
    "files",
    "user_index",
    "item_index",
    "category_index",
    "brand_index",
)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "Toys.csv").write_text(RATINGS)
    for name, rows in {"Toys_5.json": REVIEWS, "meta_Toys.json": PRODUCTS}.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def submit(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script by spark-submit, which puts its standard error into its output."""
    settings = ["--master", "local[2]", "--driver-memory", "1g"]
    command = [str(SUBMIT), *settings, str(script), *arguments]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    return subprocess.run(
        command, env=environment, cwd=script.parent, capture_output=True, text=True, timeout=1200
    )


def contents(context: Context) -> dict[str, list[Any]]:
    """Return the rows of all tables, as text and in order."""
    return {table: sorted(map(str, context.tables.read(table).collect())) for table in TABLES}


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.slow
def test_ingest_and_index_write_the_same_tables_by_spark_submit_and_by_the_command(
    raw: Path, tmp_path: Path, spark: SparkSession, make_context: Callable[..., Context]
) -> None:
    submitted, typed = tmp_path / "submitted", tmp_path / "typed"
    for stage in ("ingest", "index"):
        done = submit(
            JOBS / f"{stage}.py", "--config", "base.yaml", f"ingest.raw={raw}", f"workspace={submitted}"
        )
        assert done.returncode == 0, done.stderr
        cli.main([stage, f"ingest.raw={raw}", f"workspace={typed}"], standalone_mode=False)
    found = contents(make_context(f"workspace={submitted}"))
    assert found == contents(make_context(f"workspace={typed}"))
    assert {
        table: len(rows) for table, rows in found.items() if table in ("interactions", "items", "quarantine")
    } == {
        "interactions": 5,
        "items": 2,
        "quarantine": 1,
    }
    users = make_context(f"workspace={submitted}").tables.read("user_index").orderBy("id").collect()
    assert [tuple(row) for row in users] == [("u3", 2, 1), ("u2", 3, 1), ("u1", 4, 3)]


@pytest.mark.spark
def test_a_user_s_mistake_is_one_sentence_and_exit_code_2(
    tmp_path: Path, make_context: Callable[..., Context]
) -> None:
    done = submit(
        JOBS / "ingest.py", f"ingest.raw={tmp_path / 'nowhere'}", f"workspace={tmp_path / 'workspace'}"
    )
    assert done.returncode == 2
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    assert shown.count(f"sequoia: ingest.raw = {tmp_path / 'nowhere'} does not exist") == 1
    [failed] = make_context(f"workspace={tmp_path / 'workspace'}").tables.read("stage_runs").collect()
    assert (failed["stage"], failed["status"], failed["error_type"]) == ("ingest", "failed", "UserError")
    assert {path.name for path in (tmp_path / "workspace" / "warehouse").iterdir()} == {"runs", "stage_runs"}


@pytest.mark.spark
def test_spark_submit_s_own_settings_win(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text("""
from sequoia.config import load_config
from sequoia.spark import spark_session

session = spark_session(load_config(overrides=["spark.shuffle_partitions=7"]).spark)
print("found", session.sparkContext.master, session.conf.get("spark.sql.shuffle.partitions"))
""")
    done = submit(probe)
    assert done.returncode == 0, done.stderr
    assert "found local[2] 7" in done.stdout
