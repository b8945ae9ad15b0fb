"""The set-up can be stopped anywhere and run again."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SETUP = Path(__file__).parents[1] / "conf" / "setup"


@pytest.fixture
def setup_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module environment.py of the set-up."""
    monkeypatch.syspath_prepend(str(SETUP))
    import environment as module

    yield module
    for name in ("environment", "progress", "stamps"):
        sys.modules.pop(name, None)


@pytest.fixture
def venv(setup_code: ModuleType, tmp_path: Path) -> Any:
    """An environment that is not made yet, with its logs below a temporary folder."""
    return setup_code.Environment(tmp_path / ".venv", constraints=tmp_path / "pins", logs=tmp_path / "logs")


@pytest.fixture
def steps(venv: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the steps run, without running them."""
    names: list[str] = []
    monkeypatch.setattr(venv, "run", lambda name, *command: names.append(name))
    return names


def healthy(venv: Any) -> None:
    venv.python.parent.mkdir(parents=True)
    venv.python.symlink_to(sys.executable)
    (venv.python.parent / "pip").write_text(f"#!{venv.python}\n")


def program(venv: Any, body: str) -> None:
    venv.python.parent.mkdir(parents=True)
    venv.python.write_text(f"#!/bin/sh\n{body}\n")
    venv.python.chmod(0o755)


def test_a_healthy_environment_stays(venv: Any, steps: list[str]) -> None:
    healthy(venv)
    venv.make()
    assert steps == []


def test_a_missing_environment_is_made(venv: Any, steps: list[str]) -> None:
    venv.make()
    assert steps == ["virtual environment"]


@pytest.mark.parametrize("damage", ["pip gone", "python gone", "moved", "python broken", "killed"])
def test_a_damaged_environment_is_made_anew(venv: Any, steps: list[str], damage: str) -> None:
    healthy(venv)
    pip = venv.python.parent / "pip"
    if damage == "pip gone":
        pip.unlink()
    elif damage == "moved":
        pip.write_text("#!/elsewhere/.venv/bin/python\n")
    elif damage == "killed":
        venv.stamps.set("installing", "packages")
    else:
        venv.python.unlink()
    if damage == "python broken":
        venv.python.write_text("#!/bin/sh\nexit 1\n")
        venv.python.chmod(0o755)
    venv.make()
    assert steps == ["virtual environment"]


@pytest.mark.parametrize(("body", "left"), [("exit 1", ""), ("kill -9 $$", "packages")])
def test_only_a_kill_leaves_packages_in_doubt(
    venv: Any, capsys: pytest.CaptureFixture[str], body: str, left: str
) -> None:
    program(venv, f"echo the reason\n{body}")
    with pytest.raises(SystemExit, match=r"the reason(.|\n)*packages failed; mend the cause"):
        venv.install("packages", "anything")
    assert venv.stamps.get("installing") == left
    assert "packages failed after" in capsys.readouterr().out


def test_a_step_that_outlives_its_set_up_holds_the_lock(setup_code: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    with (tmp_path / "requirements.txt").open() as first:
        setup_code.wait_for_others(first)
        step = setup_code.Step("sleeper", ["sleep", "60"], tmp_path / "log")
    # The first set-up is gone without a word to its step.
    with (tmp_path / "requirements.txt").open() as second:
        with pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        step.stop()
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_steps_with_a_stamp_are_not_run_again(venv: Any, steps: list[str]) -> None:
    venv.install_jars("one")
    venv.install_jars("one")
    assert steps == ["Delta's jars"]
    venv.install_jars("two")
    assert steps == ["Delta's jars"] * 2
