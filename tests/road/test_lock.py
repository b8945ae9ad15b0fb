"""One run at a time in a workspace, with real processes; a crashed one is in nobody's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sequoia.errors import LockHeldError, UserError
from sequoia.road import lease, lock
from sequoia.road.lock import WorkspaceLock

HOLDER = Path(__file__).with_name("holder.py")
Hold = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Start processes that hold the test's workspace."""
    started: list[subprocess.Popen[str]] = []

    def start(run_id: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(HOLDER), str(tmp_path), run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wanted(workspace: Path, run_id: str = "mine") -> WorkspaceLock:
    return WorkspaceLock(workspace, run_id=run_id, command="sequoia run")


def leases(workspace: Path) -> list[Path]:
    return sorted((workspace / ".lock").glob("*.json"))


def test_a_second_run_is_told_at_once_who_holds_the_workspace(tmp_path: Path, hold: Hold) -> None:
    holder = hold("theirs")
    started = time.monotonic()
    with pytest.raises(LockHeldError) as refused, wanted(tmp_path):
        pass
    assert time.monotonic() - started < lock.HEARTBEAT
    said = str(refused.value)
    assert said.startswith(
        f"workspace {tmp_path} is held by run theirs (sequoia train; process {holder.pid} on "
    )
    assert said.endswith(" UTC: wait until it has ended, or name another one")
    assert refused.value.exit_code == 4
    assert "\n" not in said
    holder.communicate("\n")
    with wanted(tmp_path):
        assert len(leases(tmp_path)) == 1
    assert leases(tmp_path) == []


def test_a_killed_holder_is_in_nobody_s_way(
    tmp_path: Path, hold: Hold, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = hold("theirs")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert len(leases(tmp_path)) == 1
    with wanted(tmp_path) as held:
        held.check()
        assert [json.loads(file.read_text())["run_id"] for file in leases(tmp_path)] == ["mine"]


def test_processes_of_one_run_share_and_two_workspaces_do_not_meet(tmp_path: Path, hold: Hold) -> None:
    holder = hold("nightly")
    with wanted(tmp_path, "nightly"), wanted(tmp_path / "other"):
        holder.communicate("\n")
        with pytest.raises(LockHeldError, match="held by run nightly"), wanted(tmp_path):
            pass
    with wanted(tmp_path):
        pass


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), wanted(tmp_path):
        raise RuntimeError
    with wanted(tmp_path, "next"):
        pass


def write_lease(workspace: Path, *, beat_before: float, **changed: object) -> None:
    """Leave a lease as another machine would."""
    (workspace / ".lock").mkdir()
    values = {
        "run_id": "theirs",
        "command": "sequoia run",
        "host": "far-away",
        "machine": "far-away",
        "process": os.getpid(),
        "process_started": "1",
        "since": time.time() - 9000,
        "heartbeat": time.time() - beat_before,
    }
    (workspace / ".lock" / "theirs-1.json").write_text(json.dumps(values | changed))


def test_another_machine_s_lease_holds_until_its_heart_has_not_beaten_for_long(tmp_path: Path) -> None:
    write_lease(tmp_path, beat_before=lease.EXPIRY - 60)
    with pytest.raises(LockHeldError, match="on far-away"), wanted(tmp_path):
        pass
    (tmp_path / ".lock" / "theirs-1.json").unlink()
    (tmp_path / ".lock").rmdir()
    write_lease(tmp_path, beat_before=lease.EXPIRY + 1)
    with wanted(tmp_path):
        assert len(leases(tmp_path)) == 1


def test_without_kernel_locks_a_process_that_is_gone_or_another_one_holds_nothing(
    tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "kernel_says_held", lambda file: False)
    holder = hold("theirs")
    with pytest.raises(LockHeldError), wanted(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with wanted(tmp_path):
        pass
    for file in (tmp_path / ".lock").iterdir():
        file.unlink()
    (tmp_path / ".lock").rmdir()
    # Our own number, but of a process that started at another time.
    write_lease(tmp_path, beat_before=0, machine=lease.this_machine())
    with wanted(tmp_path):
        pass


def test_the_heart_beats_and_a_lost_lease_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "HEARTBEAT", 0.05)
    with wanted(tmp_path) as held:
        [file] = leases(tmp_path)
        first = json.loads(file.read_text())["heartbeat"]
        deadline = time.monotonic() + 20
        while (now := lease.read_lease(file)) and now.heartbeat == first:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        held.check()
        file.unlink()
        with pytest.raises(LockHeldError, match="lost the lock"):
            held.check()
        time.sleep(0.2)
        assert leases(tmp_path) == []  # it does not come back


def test_one_of_many_at_the_same_moment_wins(tmp_path: Path) -> None:
    won: list[str] = []
    told: list[str] = []
    start, done = threading.Barrier(8), threading.Barrier(8)

    def try_it(run_id: str) -> None:
        start.wait()
        try:
            with wanted(tmp_path, run_id):
                won.append(run_id)
                done.wait()
        except LockHeldError as error:
            told.append(str(error))
            done.wait()

    threads = [threading.Thread(target=try_it, args=(f"run{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert all(f"held by run {won[0]} " in said for said in told)
    assert len(told) == 7


def test_a_door_that_somebody_left_locked_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lock, "DOOR_EXPIRY", 0.2)
    (tmp_path / ".lock").mkdir()
    (tmp_path / ".lock" / "door").write_text("somebody")
    with wanted(tmp_path):
        assert not (tmp_path / ".lock" / "door").exists()


def test_a_workspace_that_cannot_be_written_is_the_user_s_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written") as refused, wanted(tmp_path / "file"):
        pass
    assert refused.value.exit_code == 2
