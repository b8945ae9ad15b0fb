"""What a process computes on: a GPU of its own, or as all of its machine the processor."""

from __future__ import annotations

import pytest
import torch

from sequoia.distributed.device import choose_device
from sequoia.errors import UserError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine of two GPUs, which a process may take."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "HOROVOD_LOCAL_RANK", "HOROVOD_LOCAL_SIZE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "names", [("LOCAL_RANK", "LOCAL_WORLD_SIZE"), ("HOROVOD_LOCAL_RANK", "HOROVOD_LOCAL_SIZE")]
)
def test_every_process_has_a_gpu_of_its_own(machine: pytest.MonkeyPatch, names: tuple[str, str]) -> None:
    assert choose_device("auto") == torch.device("cuda", 0)
    for name, value in zip(names, ("1", "2"), strict=True):
        machine.setenv(name, value)
    assert choose_device("auto") == torch.device("cuda", 1)
    assert choose_device("cpu") == torch.device("cpu")


def test_with_fewer_gpus_than_processes_auto_is_the_processor_for_all(machine: pytest.MonkeyPatch) -> None:
    machine.setenv("LOCAL_WORLD_SIZE", "3")
    for rank in "012":
        machine.setenv("LOCAL_RANK", rank)
        assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UserError, match="process 2 of this machine has no GPU, there are 2: lower"):
        choose_device("cuda")
