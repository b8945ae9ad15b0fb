"""One behaviour suite for all groups: a process, up to three of Horovod and of torch, two in Spark."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from sequoia.distributed.launch import IN_SPARK, Order, launch
from sequoia.errors import UserError
from tests.distributed.behaviour import rows_of

GROUPS = [("single", 1), ("horovod", 1), ("horovod", 2), ("horovod", 3), ("torchrun", 1), ("torchrun", 2)]
GROUPS += [("torchrun", 3), ("horovod-spark", 2), ("torch-distributor", 2)]


def order(module: str, *arguments: str, launcher: str = "single", processes: int = 1, **more: Any) -> Order:
    return Order(
        module=module,
        arguments=[*arguments],
        launcher=launcher,
        processes=processes,
        threads=1,
        timeout_seconds=60,
        **more,
    )


@pytest.fixture(scope="module", params=GROUPS, ids=lambda param: f"{param[0]}-{param[1]}")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return what each process of a real group saw."""
    launcher, processes = request.param
    folder = tmp_path_factory.mktemp(launcher)
    more = {"spark": request.getfixturevalue("spark")} if launcher in IN_SPARK else {}
    arguments = (launcher, str(folder))
    launch(order("tests.distributed.behaviour", *arguments, launcher=launcher, processes=processes, **more))
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    assert len(found) == processes
    return found


def test_ranks_are_numbered_and_one_is_main(seen: list[dict[str, Any]]) -> None:
    assert [one["rank"] for one in seen] == list(range(len(seen)))
    assert [one["is_main"] for one in seen] == [True] + [False] * (len(seen) - 1)
    assert {one["size"] for one in seen} == {len(seen)}


def test_tensors_are_added_up(seen: list[dict[str, Any]]) -> None:
    size = len(seen)
    total = [sum(range(1, size + 1)), 10.0 * size]
    for one in seen:
        assert one["started_sum"] == total
        assert one["sum"] == [2 * value for value in total]
        assert one["untouched"] == [one["rank"] + 1.0, 10.0]
        assert one["numbers"] == {"rank": sum(range(size)), "one": size}


def test_rank_0_tells_the_others(seen: list[dict[str, Any]]) -> None:
    for one in seen:
        assert one["broadcast"] == [1.0, 10.0]
        assert one["value"] == {"from": 0, "text": "é", "long": "x" * 5000}
        assert one["nothing"] is None
        assert one["tensors"] == {"a": [[7, 7], [7, 7]], "b": 0.5}


def test_tensors_are_gathered_exchanged_and_scattered(seen: list[dict[str, Any]]) -> None:
    size = len(seen)
    for one in seen:
        rank = one["rank"]
        assert one["all_gather"] == [[other + 1.0, 10.0] for other in range(size)]
        # Every rank sends one row to rank 0, two to rank 1, and so on.
        assert one["all_to_all"] == [
            [other for other in range(size) for _ in range(rank + 1)],
            [rank + 1] * size,
        ]
        assert one["reduce_scatter"] == [[2.0 * rank * size, (2.0 * rank + 1) * size]]


def test_gradients_are_those_of_all_ranks_rows_whatever_the_buckets(seen: list[dict[str, Any]]) -> None:
    for step in range(2):
        torch.manual_seed(5)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
        rows = torch.cat([rows_of(rank) for rank in range(len(seen)) if rank != 1 or step])
        model(rows).square().sum().backward()
        wanted = [value / 2 for one in model.parameters() for value in one.grad.flatten().tolist()]
        for one in seen:
            for bucket in (1, 64, 1 << 20):
                assert one["gradients"][f"{bucket}, step {step}"] == pytest.approx(wanted, rel=1e-5)


def test_a_refusal_in_a_process_arrives_as_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "refusing.py").write_text(
        "from sequoia.errors import UserError\nraise UserError('width 3 must be even: change it')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UserError, match="width 3 must be even: change it"):
        launch(order("refusing"))


def test_a_crash_in_a_process_shows_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing.py").write_text("raise RuntimeError('out of luck')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="out of luck"):
        launch(order("crashing"))


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
        launch(order("talking"), on_note=refuse)
    assert time.monotonic() - started < 60
