"""One behaviour suite for all groups: single process, two Horovod processes, two torchrun processes."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sequoia.distributed.launch import _environment, _prefix, launch
from sequoia.errors import UserError

BEHAVIOUR = Path(__file__).with_name("behaviour.py")


@pytest.fixture(
    scope="module", params=[("single", 1), ("horovod", 2), ("torchrun", 2)], ids=lambda param: param[0]
)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return what each process of a real group saw."""
    launcher, processes = request.param
    folder = tmp_path_factory.mktemp(launcher)
    command = [*_prefix(launcher, processes, 60), str(BEHAVIOUR), launcher, str(folder)]
    done = subprocess.run(command, env=_environment(1, 60), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    assert len(found) == processes
    return found


def test_ranks_are_numbered_and_one_is_main(seen: list[dict[str, Any]]) -> None:
    assert [one["rank"] for one in seen] == list(range(len(seen)))
    assert [one["is_main"] for one in seen] == [True] + [False] * (len(seen) - 1)
    assert {one["size"] for one in seen} == {len(seen)}


def test_objects_come_from_the_main_process(seen: list[dict[str, Any]]) -> None:
    assert all(one["object"] == {"from": 0, "text": "é"} for one in seen)


def test_numbers_are_added_up(seen: list[dict[str, Any]]) -> None:
    expected = {"rank": float(sum(range(len(seen)))), "one": float(len(seen))}
    assert all(one["sum"] == expected for one in seen)


def test_all_processes_start_from_the_same_weights(seen: list[dict[str, Any]]) -> None:
    assert all(one["start"] == seen[0]["start"] for one in seen)


def test_the_optimizer_steps_by_the_sum_of_gradients(seen: list[dict[str, Any]]) -> None:
    gradient = sum(range(1, len(seen) + 1))
    for one in seen:
        assert one["weight"] == pytest.approx(
            [value - 0.1 * gradient for value in one["start"][:3]], abs=1e-6
        )


def test_a_refusal_in_a_process_arrives_as_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "refusing.py").write_text(
        "from sequoia.errors import UserError\nraise UserError('width 3 must be even: change it')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UserError, match="width 3 must be even: change it"):
        launch("refusing", [], launcher="single", processes=1, threads=1, timeout_seconds=60)


def test_a_crash_in_a_process_shows_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing.py").write_text("raise RuntimeError('out of luck')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="out of luck"):
        launch("crashing", [], launcher="single", processes=1, threads=1, timeout_seconds=60)


def test_a_launcher_that_cannot_take_a_note_ends_the_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talking.py").write_text(
        "import time\nfrom sequoia.distributed.launch import send_note\n"
        "send_note({'epoch': 3})\ntime.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def refuse(note: dict[str, Any]) -> None:
        raise ConnectionError(f"epoch {note['epoch']} could not be stored")

    started = time.monotonic()
    with pytest.raises(ConnectionError, match="epoch 3 could not be stored"):
        launch("talking", [], launcher="single", processes=1, threads=1, timeout_seconds=60, on_note=refuse)
    assert time.monotonic() - started < 60
