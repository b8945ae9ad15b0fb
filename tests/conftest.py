"""Fixtures of all tests: one Spark session, a workspace per test, and the real data where it is present.

A JVM that a test starts for itself compiles with C1 alone: in so short a life the optimising compiler takes
half as much processor time again. C1 needs a larger code cache than its default, or all later code would be
interpreted. The one session of all tests lives long enough for the optimising compiler.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia.config import load_config
from sequoia.road.stage import Context
from sequoia.spark import LOCAL, spark_session
from sequoia.tracking.connection import connect

OPTIMISING = "-XX:TieredStopAtLevel=4"
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m")

# Files go to two processes, one after the other: begun last, one of these would keep one of them waiting.
LONGEST = ("test_paths.py", "test_road.py", "test_spark_submit.py", "test_cluster.py")

DATA = Path(os.environ.get("SEQUOIA_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Start the one Spark session of the test run."""
    java = f"spark.driver.extraJavaOptions={LOCAL['spark.driver.extraJavaOptions']} {OPTIMISING}"
    overrides = ["spark.master=local[2]", "spark.driver_memory=3g", f"spark.conf.{java}"]
    settings = load_config(overrides=overrides).spark
    session = spark_session(settings)
    yield session
    session.stop()


@pytest.fixture
def make_context(spark: SparkSession, tmp_path: Path) -> Callable[..., Context]:
    """Return a function that makes a context in the test's own workspace from overrides."""

    def make(*overrides: str) -> Context:
        return Context(load_config(overrides=[f"workspace={tmp_path / 'workspace'}", *overrides]))

    return make


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow database without entries; MLflow takes seconds to make one."""
    folder = tmp_path_factory.mktemp("store")
    connect(load_config(overrides=[f"workspace={folder}"])).client.search_registered_models()
    return folder / "mlflow.db"


@pytest.fixture
def with_store(tmp_path: Path, empty_store: Path) -> None:
    """Put a copy of the empty database where the test's own workspace has it."""
    (tmp_path / "workspace").mkdir()
    shutil.copy(empty_store, tmp_path / "workspace" / "mlflow.db")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip: it has no licence to be redistributed with the project."""
    if not DATA.is_dir():
        pytest.skip(
            f"real data not found: set SEQUOIA_TEST_DATA to a folder with amazon2018/ (looked at {DATA})"
        )
    return DATA
