"""The doctor where no checkout is: on Databricks' runtime, and where the wheel alone was installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import click
import pytest

from sequoia import __version__, doctor
from sequoia.doctor import Check

ROOT = Path(__file__).parents[1]
# What the wheel brings to the runtime, or moves there (docs/databricks.md).
BROUGHT = {"isal": "1.8.0", "pydantic": "2.14.3", "sqlglot": "30.30.0"}
Pretend = Callable[..., dict[str, Check]]


def runtime_pins() -> dict[str, str]:
    """Return what Databricks Runtime 15.4 LTS ML has, by lower-case name."""
    lines = (ROOT / "conf" / "setup" / "runtime-15.4-ml.txt").read_text(encoding="ascii").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return {name.lower(): version for name, version in pairs}


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Return a function that lets the runtime's packages be installed, with changes, and asks the doctor."""

    def diagnosed(**changes: str | None) -> dict[str, Check]:
        packages: dict[str, str | None] = {**runtime_pins(), **BROUGHT, "horovod": "0.28.1"}
        packages |= {name.replace("_", "-"): version for name, version in changes.items()}
        monkeypatch.setattr(doctor, "installed", packages.get)
        monkeypatch.setattr(doctor, "run", lambda command: 'openjdk version "1.8.0_402"\ngloo True')
        return {check.name: check for check in doctor.diagnose("horovod")}

    return diagnosed


def failed(checks: dict[str, Check]) -> set[str]:
    return {name for name, check in checks.items() if check.needed and not check.ok}


def test_the_runtime_that_the_bundle_names_is_healthy(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failed(pretend()) <= {"Delta's jars"}  # this environment has those of another version
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "15.4")
    assert failed(pretend()) == set()
    assert failed(pretend(pyspark=None, delta_spark=None)) == set()


def test_what_the_runtime_lacks_comes_with_another_runtime_or_with_the_wheel(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "15.4")
    found = pretend(torch=None, horovod=None, isal=None, pydantic="1.10.6")
    assert failed(found) == {"torch", "Horovod", "Launchers", "Others"}
    assert found["Others"].found == "missing isal; pydantic 1.10.6 is not <3,>=2"
    assert found["Others"].remedy == "install the wheel as a library of the job"
    brings = "start the cluster with Databricks Runtime 15.4 LTS ML, which has it"
    assert found["torch"].remedy == brings
    assert found["Horovod"].remedy == f"{brings}, or train with training.launcher=torchrun"
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "14.3")
    older = pretend()["Spark, Delta"]
    assert (older.ok, older.found, older.remedy) == (False, "Databricks Runtime 14.3", brings)


@pytest.mark.parametrize(
    ("packages", "found", "ok"),
    [
        ({"mlflow_skinny": "2.13.1"}, "2.13.1", True),
        ({"mlflow_skinny": "3.17.2", "mlflow": "3.17.2"}, "3.17.2", True),
        ({"mlflow_skinny": "2.12.0"}, "2.12.0", False),
        ({"mlflow_skinny": "4.0.0"}, "4.0.0", False),
        ({"mlflow_skinny": None}, "not installed", False),
    ],
)
def test_mlflow_is_what_the_wheel_allows(
    pretend: Pretend, packages: dict[str, str | None], found: str, ok: bool
) -> None:
    check = pretend(**packages)["mlflow"]
    assert (check.found, check.ok, check.wanted) == (found, ok, "mlflow or mlflow-skinny <4,>=2.13.1")


@pytest.mark.parametrize(
    ("spark", "delta", "ok"),
    [
        ("3.5.0", "3.2.0", True),
        ("3.5.9", "3.3.3", True),
        ("3.5.9", "4.0.0", False),
        ("3.4.1", "3.2.0", False),
    ],
)
def test_spark_and_delta_that_the_road_ran_on_are_accepted(
    pretend: Pretend, spark: str, delta: str, ok: bool
) -> None:
    assert pretend(pyspark=spark, delta_spark=delta)["Spark, Delta"].ok is ok


def test_where_the_wheel_alone_is_installed_the_remedy_is_the_wheel_s(tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    [site] = home.glob("lib/python*/site-packages")
    shutil.copytree(ROOT / "lib" / "sequoia", site / "sequoia", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(click.__file__).parent, site / "click")
    about = site / f"sequoia_recsys-{__version__}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(distribution("sequoia-recsys").read_text("METADATA") or "")
    done = subprocess.run(
        [home / "bin" / "python", "-m", "sequoia.doctor"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (2, "")
    wheel = f"<folder>/sequoia_recsys-{__version__}-py3-none-any.whl[local]"
    assert f'-> run `pip install "{wheel}"`' in done.stdout
    assert "wanted: mlflow or mlflow-skinny <4,>=2.13.1" in done.stdout
    assert "-> run `make setup`\n" not in done.stdout
