"""A training that is killed at any step, or finds the disk full, goes on as if nothing had happened."""

from __future__ import annotations

import os
import random
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from sequoia.distributed.child_processes import environment, prefix
from sequoia.training.spec import TrainingSpec
from tests.training.test_loop_process import history_of, kill_at, losses, order, train

MakeSpec = Callable[..., TrainingSpec]
KILLS, EPOCHS, STEPS = 8, 4, 5  # 78 rows in steps of 16
LARGEST_FILE = 4096  # bytes: what is told of a checkpoint fits, its weights do not
OFTEN = ("models.sasrec.dropout=0.2", f"training.epochs={EPOCHS}", "training.checkpoint_steps=1")


def weights(folder: Path) -> dict[str, bytes]:
    return {name: tensor.tobytes() for name, tensor in load_file(folder / "weights.safetensors").items()}


@pytest.mark.long
@pytest.mark.parametrize("launcher", ["single", "horovod", "torchrun"])
def test_killed_at_any_step_it_comes_to_the_same_weights(make_spec: MakeSpec, launcher: str) -> None:
    processes = 1 if launcher == "single" else 2
    whole, killed = make_spec("whole", *OFTEN), make_spec("killed", *OFTEN)
    uninterrupted = train(whole, launcher, processes)
    steps = [(epoch, step) for epoch in range(EPOCHS) for step in range(1, STEPS)]
    for epoch, step in sorted(random.Random(launcher).sample(steps, KILLS)):
        kill_at(killed, launcher, processes, f"epoch-{epoch:05d}-step-{step:08d}")
    assert losses(train(killed, launcher, processes)) == losses(uninterrupted)
    assert weights(killed.folder) == weights(whole.folder)


def test_a_full_disk_leaves_the_checkpoint_before(make_spec: MakeSpec) -> None:
    whole, stopped = make_spec("whole", *OFTEN), make_spec("stopped", *OFTEN)
    train(whole)
    kill_at(stopped, "single", 1, "epoch-00001-step-00000002")
    before = (stopped.checkpoints / "latest").read_text()
    wanted = order(stopped, "single", 1)
    done = subprocess.run(
        [*prefix(wanted), "-m", wanted.module, *wanted.arguments],
        env={**os.environ, **environment(wanted)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE)),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "make room and run again; one before it, where there is one, is whole" in done.stderr
    assert (stopped.checkpoints / "latest").read_text() == before
    assert losses(train(stopped)) == losses(history_of(whole))
    assert weights(stopped.folder) == weights(whole.folder)
