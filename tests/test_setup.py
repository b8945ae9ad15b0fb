"""The set-up: what it asks of the machine, what it pins and where it keeps things."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETUP = ROOT / "conf" / "setup"
FAKES = {
    "python3.11": f'exec "{sys.executable}" "$@"',
    "java": """echo 'openjdk version "17.0.15" 2025-04-15' >&2""",
    "g++": "exit 0",
    "cmake": "echo 'cmake version 3.25.1'",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with all that the set-up asks for; nothing else is on its PATH."""
    folder = tmp_path / "machine"
    folder.mkdir()
    for name, body in FAKES.items():
        fake(folder, name, body)
    return folder


def fake(machine: Path, name: str, body: str) -> None:
    (machine / name).write_text(f"#!/bin/sh\n{body}\n")
    (machine / name).chmod(0o755)


def check(machine: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("bash") or "bash", str(SETUP / "setup.sh"), *arguments]
    return subprocess.run(command, env={"PATH": str(machine), **environment}, capture_output=True, text=True)


def test_a_complete_machine_passes(machine: Path) -> None:
    done = check(machine, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("tool", "named"),
    [
        ("python3.11", "Python 3.11"),
        ("java", "Java 17"),
        ("g++", "C++20 compiler"),
        ("cmake", "CMake 3"),
    ],
)
def test_each_missing_tool_gives_one_sentence(machine: Path, tool: str, named: str) -> None:
    (machine / tool).unlink()
    # Without --check: the refusal comes before anything is made or downloaded.
    done = check(machine)
    assert (done.returncode, done.stdout) == (2, "")
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("setup: ")
    assert named in sentence
    assert "install" in sentence


def test_two_missing_tools_give_two_sentences(machine: Path) -> None:
    (machine / "java").unlink()
    (machine / "cmake").unlink()
    assert len(check(machine).stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("tool", "body", "found"),
    [
        ("java", """echo 'openjdk version "11.0.2"' >&2""", "11"),
        ("java", """echo 'java version "1.8.0_402"' >&2""", "8"),
        ("java", "exit 1", "none"),
        ("cmake", "echo 'cmake version 4.1.0'", "4.1"),
        ("cmake", "exit 127", "none"),
        ("g++", "exit 1", "g++"),
        ("python3.11", "exit 1", "Python 3.11"),
    ],
)
def test_unfit_versions_are_refused(machine: Path, tool: str, body: str, found: str) -> None:
    fake(machine, tool, body)
    done = check(machine)
    assert done.returncode == 2
    [sentence] = done.stderr.splitlines()
    assert found in sentence


@pytest.mark.parametrize("launcher", ["torchrun", "single"])
def test_without_horovod_no_native_tools_are_needed(machine: Path, launcher: str) -> None:
    (machine / "g++").unlink()
    (machine / "cmake").unlink()
    assert check(machine, "--check", LAUNCHER=launcher).returncode == 0
    assert check(machine, "--check", LAUNCHER="horovod").returncode == 2


def test_unknown_launcher(machine: Path) -> None:
    done = check(machine, LAUNCHER="mpirun")
    assert done.returncode == 2
    assert "LAUNCHER=mpirun is unknown" in done.stderr


def test_java_home_is_what_spark_would_start(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "jdk" / "bin").mkdir(parents=True)
    (machine / "java").rename(tmp_path / "jdk" / "bin" / "java")
    assert check(machine, "--check", JAVA_HOME=str(tmp_path / "jdk")).returncode == 0
    assert check(machine, "--check", JAVA_HOME=str(tmp_path / "nowhere")).returncode == 2


def test_make_stops_at_a_missing_tool(machine: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(SETUP, clone / "conf" / "setup", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "requirements.txt", "setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, clone)
    (machine / "java").unlink()
    fake(machine, "bash", f'exec {shutil.which("bash")} "$@"')
    make = [shutil.which("make") or "make", "-C", str(clone), "demo"]
    done = subprocess.run(make, env={"PATH": str(machine)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line.startswith("setup: ")] == [
        line for line in done.stderr.splitlines() if "Java 17" in line
    ]
    assert not (clone / ".venv").exists()


def packages(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def test_constraints_hold_for_every_build_of_torch() -> None:
    pins = dict(line.split("==") for line in packages(SETUP / "constraints.txt"))
    assert "+" not in "".join(pins.values())
    assert not [name for name in pins if name.startswith(("nvidia-", "cuda-", "triton"))]
    required = packages(ROOT / "requirements.txt")
    exact = dict(line.split("==") for line in required if "==" in line)
    assert len(exact) >= 9
    assert {name: pins[name] for name in exact} == exact
    names = {plain(re.split(r"[\[=<>]", line)[0]) for line in required}
    assert names - {plain(name) for name in pins} == set()


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_no_registry_host_is_named() -> None:
    scripts = [file for file in SETUP.iterdir() if file.is_file()]
    texts = [file.read_text() for file in [ROOT / "Makefile", ROOT / "setup.py", *scripts]]
    assert len(texts) > 5
    for host in ("pypi" + ".org", "pythonhosted" + ".org", "maven" + ".org", "download.pytorch" + ".org"):
        assert not [text for text in texts if host in text]


def test_cache_folder_follows_the_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    probe = [sys.executable, "-c", "from cache import cache_folder; print(cache_folder())"]
    for variables, expected in [
        ({"SEQUOIA_CACHE": "/a"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/sequoia"),
        ({"HOME": "/c"}, "/c/.cache/sequoia"),
    ]:
        environment = {"PATH": os.environ["PATH"], "HOME": "/unused", "PYTHONPATH": str(SETUP), **variables}
        done = subprocess.run(probe, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
