"""A workspace with an MLflow store in it: made once and copied, as MLflow takes seconds to make one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.promote import intent
from sequoia.road.stage import Context
from sequoia.tracking.connection import Connection, connect


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow database without entries."""
    folder = tmp_path_factory.mktemp("store")
    connect(load_config(overrides=[f"workspace={folder}"])).client.search_registered_models()
    return folder / "mlflow.db"


@pytest.fixture
def with_store(tmp_path: Path, empty_store: Path) -> None:
    """Put the database where the test's workspace has it."""
    (tmp_path / "workspace").mkdir()
    shutil.copy(empty_store, tmp_path / "workspace" / "mlflow.db")


@pytest.fixture
def context(with_store: None, make_context: Callable[..., Context]) -> Context:
    return make_context()


@pytest.fixture
def connection(with_store: None, tmp_path: Path) -> Connection:
    """Return the registry alone, without Spark."""
    return connect(load_config(overrides=[f"workspace={tmp_path / 'workspace'}"]))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the wait for rivals: tests that have some set it themselves."""
    monkeypatch.setattr(intent, "SETTLE", 0.01)
