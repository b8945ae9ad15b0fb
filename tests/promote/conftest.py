"""A workspace with an MLflow store in it, and its registry alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.promote import intent
from sequoia.road.stage import Context
from sequoia.tracking.connection import Connection, connect


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
