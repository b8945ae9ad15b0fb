"""The doctor names what is broken and what to do about it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import click
import pytest

from sequoia import doctor
from sequoia.doctor import Check

LIB = Path(__file__).parents[1] / "lib"


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(text)} >&2\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def test_java_missing(bare_path: Path) -> None:
    check = doctor.check_java()
    assert (check.ok, check.needed, check.found) == (False, True, "not found")
    assert "install Java 17" in check.remedy


@pytest.mark.parametrize(
    ("report", "major", "ok"),
    [
        ('openjdk version "17.0.15" 2025-04-15', "17", True),
        ('openjdk version "11.0.22" 2024-01-16', "11", True),
        ('java version "1.8.0_402"', "8", True),
        ('openjdk version "21" 2023-09-19', "21", False),
        ("Unrecognized option", "not found", False),
    ],
)
def test_java_versions(bare_path: Path, report: str, major: str, ok: bool) -> None:
    program(bare_path, "java", report)
    check = doctor.check_java()
    assert (check.found, check.ok) == (major, ok)


def test_java_home_wins(bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare_path, "java", 'openjdk version "17.0.1"')
    program(tmp_path / "old" / "bin", "java", 'openjdk version "11.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    assert doctor.check_java().found == "11"


@pytest.mark.parametrize(
    ("package", "found", "ok"),
    [
        ("numpy", "1.26.4", True),
        ("numpy", "2.0.0", False),
        ("pyarrow", "15.0.2", False),
        ("pyarrow", None, False),
    ],
)
def test_versions(monkeypatch: pytest.MonkeyPatch, package: str, found: str | None, ok: bool) -> None:
    monkeypatch.setattr(doctor, "run", lambda command: "")
    monkeypatch.setattr(doctor, "installed", lambda name: found if name == package else "1.0")
    checks = {check.name: check for check in doctor.diagnose(launcher="single")}
    assert checks[package].ok is ok
    assert checks[package].found == (found or "not installed")


def test_spark_and_delta_are_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_spark_and_delta().ok
    monkeypatch.setattr(doctor, "installed", {"pyspark": "4.0.0", "delta-spark": "3.3.3"}.get)
    assert not doctor.check_spark_and_delta().ok


def test_delta_jars_of_another_version_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_delta_jars().ok
    monkeypatch.setattr(doctor, "installed", lambda name: "9.9.9")
    check = doctor.check_delta_jars()
    assert not check.ok
    assert "delta-spark_2.12-9.9.9.jar" in check.found


@pytest.mark.parametrize(
    ("report", "ok", "found"),
    [
        ("gloo True", True, "0.28.1"),
        ("gloo False", False, "0.28.1, gloo False"),
        ("Traceback\nImportError: undefined symbol", False, "0.28.1, ImportError: undefined symbol"),
        ("", False, "0.28.1, does not load"),
    ],
)
def test_horovod_reports(monkeypatch: pytest.MonkeyPatch, report: str, ok: bool, found: str) -> None:
    monkeypatch.setattr(doctor, "installed", lambda name: "0.28.1")
    monkeypatch.setattr(doctor, "run", lambda command: report)
    check = doctor.check_horovod(needed=True)
    assert (check.ok, check.found) == (ok, found)


def test_launchers_follow_from_torch_and_horovod() -> None:
    assert doctor.check_launchers(torch=True, horovod=True).found == "horovod, torchrun, single"
    assert doctor.check_launchers(torch=True, horovod=False).found == "torchrun, single"
    assert not doctor.check_launchers(torch=False, horovod=False).ok


def test_native_tools_are_wanted_only_until_horovod_is_built() -> None:
    assert doctor.check_native_tools([], built=True).ok
    missing = doctor.check_native_tools(["g++"], built=False)
    assert (missing.ok, missing.needed) == (False, False)


def test_without_horovod_only_its_launcher_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == "horovod" else real(name))
    for launcher, needed in {"horovod": True, "torchrun": False}.items():
        checks = {check.name: check for check in doctor.diagnose(launcher)}
        assert (checks["Horovod"].ok, checks["Horovod"].needed) == (False, needed)
        assert checks["Launchers"].found == "torchrun, single"


def test_this_environment_is_healthy() -> None:
    launcher = os.environ.get("LAUNCHER") or "horovod"
    assert [check for check in doctor.diagnose(launcher) if check.needed and not check.ok] == []


def test_render_shows_the_remedy_below_what_is_missing() -> None:
    good = Check(name="numpy", ok=True, found="1.26.4", wanted="1.x", remedy="never shown")
    bad = Check(name="Java", ok=False, found="not found", wanted="17", remedy="install Java 17")
    assert doctor.render([good, bad]).splitlines() == [
        "ok      numpy  1.26.4     wanted: 1.x",
        "MISSING Java   not found  wanted: 17",
        "               -> install Java 17",
    ]


def test_importing_the_doctor_loads_nothing_heavy() -> None:
    heavy = ("torch", "pyspark", "mlflow", "numpy")
    probe = f"import sys, sequoia.doctor; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but click, and this project's code on its path."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False)
    [packages] = folder.glob("lib/python*/site-packages")
    shutil.copytree(Path(click.__file__).parent, packages / "click")
    (packages / "sequoia.pth").write_text(str(LIB))
    return folder / "bin" / "python"


def bare(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run([str(python), *arguments], env=environment, capture_output=True, text=True)


COMMAND = ("-c", "from sequoia.cli import main; main()")


def test_the_doctor_works_where_all_packages_are_missing(bare_python: Path) -> None:
    assert bare(bare_python, "-c", "import pydantic").returncode == 1
    for command in ((*COMMAND, "doctor"), ("-m", "sequoia.doctor")):
        done = bare(bare_python, *command)
        assert (done.returncode, done.stderr) == (2, "")
        lines = {line.split()[1]: line for line in done.stdout.splitlines() if "wanted:" in line}
        assert lines["Spark,"].startswith("MISSING Spark, Delta  none, none")
        for package in ("torch", "petastorm", "pyarrow", "mlflow", "Delta's"):
            assert lines[package].startswith("MISSING")
            assert "not installed" in lines[package]
        assert done.stdout.count("-> run `make setup`") >= 7


def test_other_commands_say_what_is_missing_there(bare_python: Path) -> None:
    done = bare(bare_python, *COMMAND, "train")
    assert done.returncode == 2
    assert done.stderr.startswith("sequoia: the package ")
    assert done.stderr.endswith(" is not installed here: `sequoia doctor` says what to do about it\n")
    for option in ("--help", "--version"):
        done = bare(bare_python, *COMMAND, option)
        assert (done.returncode, done.stderr) == (0, "")
        assert "sequoia" in done.stdout.lower()


def test_all_small_packages_are_looked_for() -> None:
    runtime, _, _ = (LIB.parent / "requirements.txt").read_text().partition("# development")
    names = {re.split(r"[=<>\[; ]", line)[0] for line in runtime.splitlines() if line and line[0] != "#"}
    own_lines = {
        "torch",
        "pyspark",
        "delta-spark",
        "deltalake",
        "petastorm",
        "pyarrow",
        "numpy",
        "mlflow",
        "mlflow-skinny",
    }
    building = {"setuptools", "cloudpickle", "psutil", "cffi"}
    assert set(doctor.OTHERS) == names - own_lines - building
