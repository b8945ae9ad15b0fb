"""The packages of Databricks Runtime 15.4 LTS ML: what sequoia asks for fits them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from distutils.core import run_setup
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
SETUP = ROOT / "conf" / "setup"


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(SETUP))
    import runtime as module

    yield module
    for name in ("runtime", "environment", "progress", "stamps"):
        sys.modules.pop(name, None)


def test_the_wheel_leaves_the_runtime_s_packages_as_they_are(
    runtime: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    project = run_setup("setup.py", stop_after="init")
    pins = runtime.pinned(runtime.PINS)
    asked = {
        runtime.normalised(line.name): line.specifier for line in map(Requirement, project.install_requires)
    }
    assert asked.keys() - pins.keys() == {"isal", "sqlglot"}
    unfit = {name for name, wanted in asked.items() if name in pins and pins[name] not in wanted}
    assert unfit == {"pydantic"} < runtime.MOVED
    # What a cluster has; a second pyspark would break it.
    local = {Requirement(line).name for line in project.extras_require["local"]}
    assert {"pyspark", "delta-spark", "torch", "petastorm", "pyarrow", "mlflow"} <= local
    assert not asked.keys() & local


def test_a_package_that_the_wheel_moved_is_named(runtime: ModuleType) -> None:
    pins = {"numpy": "1.23.5", "pydantic": "1.10.6", "click": "8.0.4"}
    assert runtime.moved_pins(pins, {"numpy": "1.23.5", "pydantic": "2.14.3", "click": "8.0.4"}) == []
    moved = runtime.moved_pins(pins, {"numpy": "1.26.4", "pydantic": "2.14.3"})
    assert moved == ["numpy from 1.23.5 to 1.26.4", "click from 8.0.4 to nothing"]


def test_every_package_of_the_runtime_is_pinned_once(runtime: ModuleType) -> None:
    lines = [line for line in runtime.PINS.read_text().splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines)
    assert len(runtime.pinned(runtime.PINS)) == len(lines) > 60
