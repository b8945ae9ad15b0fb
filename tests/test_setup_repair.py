"""The set-up can be stopped anywhere and run again."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SETUP = Path(__file__).parents[1] / "conf" / "setup"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module install.py, working on an environment and logs below a temporary folder."""
    monkeypatch.syspath_prepend(str(SETUP))
    import install as module

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    yield module
    for name in ("install", "progress", "stamps"):
        sys.modules.pop(name, None)


@pytest.fixture
def steps(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the steps run, without running them."""
    names: list[str] = []
    monkeypatch.setattr(install, "run", lambda name, *command: names.append(name))
    return names


def healthy(install: ModuleType) -> None:
    install.PYTHON.parent.mkdir(parents=True)
    install.PYTHON.symlink_to(sys.executable)
    (install.PYTHON.parent / "pip").write_text(f"#!{install.PYTHON}\n")


def program(install: ModuleType, body: str) -> None:
    install.PYTHON.parent.mkdir(parents=True)
    install.PYTHON.write_text(f"#!/bin/sh\n{body}\n")
    install.PYTHON.chmod(0o755)


def stamps_of(install: ModuleType) -> object:
    return install.Stamps(install.VENV / ".sequoia")


def test_a_healthy_environment_stays(install: ModuleType, steps: list[str]) -> None:
    healthy(install)
    install.make_environment(stamps_of(install))
    assert steps == []


def test_a_missing_environment_is_made(install: ModuleType, steps: list[str]) -> None:
    install.make_environment(stamps_of(install))
    assert steps == ["virtual environment"]


@pytest.mark.parametrize("damage", ["pip gone", "python gone", "moved", "python broken", "killed"])
def test_a_damaged_environment_is_made_anew(install: ModuleType, steps: list[str], damage: str) -> None:
    healthy(install)
    pip = install.PYTHON.parent / "pip"
    if damage == "pip gone":
        pip.unlink()
    elif damage == "moved":
        pip.write_text("#!/elsewhere/.venv/bin/python\n")
    elif damage == "killed":
        install.Stamps(install.VENV / ".sequoia").set("installing", "packages")
    else:
        install.PYTHON.unlink()
    if damage == "python broken":
        install.PYTHON.write_text("#!/bin/sh\nexit 1\n")
        install.PYTHON.chmod(0o755)
    install.make_environment(stamps_of(install))
    assert steps == ["virtual environment"]


@pytest.mark.parametrize(("body", "left"), [("exit 1", ""), ("kill -9 $$", "packages")])
def test_only_a_kill_leaves_packages_in_doubt(
    install: ModuleType, capsys: pytest.CaptureFixture[str], body: str, left: str
) -> None:
    program(install, f"echo the reason\n{body}")
    stamps = install.Stamps(install.VENV / ".sequoia")
    with pytest.raises(SystemExit, match=r"the reason(.|\n)*packages failed; mend the cause"):
        install.pip_install(stamps, "packages", "anything")
    assert stamps.get("installing") == left
    assert "packages failed after" in capsys.readouterr().out


def test_a_step_that_outlives_its_set_up_holds_the_lock(install: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    with (tmp_path / "requirements.txt").open() as first:
        install.wait_for_others(first)
        step = install.Step("sleeper", ["sleep", "60"], tmp_path / "log")
    # The first set-up is gone without a word to its step.
    with (tmp_path / "requirements.txt").open() as second:
        with pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        step.stop()
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_steps_with_a_stamp_are_not_run_again(install: ModuleType, steps: list[str]) -> None:
    stamps = install.Stamps(install.VENV / ".sequoia")
    install.install_jars(stamps, "one")
    install.install_jars(stamps, "one")
    assert steps == ["Delta's jars"]
    install.install_jars(stamps, "two")
    assert steps == ["Delta's jars"] * 2
