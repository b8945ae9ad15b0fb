"""A process of a training that stops or dies ends it in a set time, with a message that names it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Thread

import psutil
import pytest
from pyspark.sql import SparkSession

from sequoia.distributed.launch import IN_SPARK, launch
from sequoia.training.spec import TrainingSpec
from tests.training.test_loop_process import order

MakeSpec = Callable[..., TrainingSpec]
RANK = {
    "horovod": "HOROVOD_RANK",
    "torchrun": "RANK",
    "horovod-spark": "HOROVOD_RANK",
    "torch-distributor": "RANK",
}
# What stands in the command of a process that trains, and not in that of one that has started it.
COMMAND = {
    **dict.fromkeys(["horovod", "torchrun"], "-m sequoia.training.loop_process"),
    "horovod-spark": "-m horovod.spark.task.gloo_exec_fn",
    "torch-distributor": "python -u /",
}
TIMEOUT = 10
CANCELLED = "ignore::pytest.PytestUnhandledThreadExceptionWarning"  # Horovod's thread of the cancelled job


def send(number: signal.Signals, launcher: str, rank: int, spec: TrainingSpec) -> None:
    """Send a signal to a rank of the training when it has written its first checkpoint."""
    while not (spec.checkpoints / "latest").exists():
        time.sleep(0.01)
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            mine = process.environ().get(RANK[launcher]) == str(rank)
            is_sought = mine and COMMAND[launcher] in " ".join(process.cmdline())
        except psutil.Error:
            continue  # ended meanwhile
        if is_sought:
            process.send_signal(number)
            return
    raise AssertionError(f"no process of rank {rank}")


def train_while(
    number: signal.Signals, launcher: str, spec: TrainingSpec, spark: SparkSession | None = None
) -> str:
    """Train for a long time, send rank 1 a signal on the way, and return how it ended."""
    Thread(target=send, args=(number, launcher, 1, spec), daemon=True).start()
    with pytest.raises(RuntimeError) as ended:
        launch(replace(order(spec, launcher, 2), timeout_seconds=TIMEOUT, spark=spark))
    return str(ended.value)


def long_training(make_spec: MakeSpec) -> TrainingSpec:
    return make_spec(
        "long", "training.epochs=5000", "training.patience=5000", f"training.timeout_seconds={TIMEOUT}"
    )


@pytest.mark.parametrize("launcher", ["horovod", "torchrun"])
def test_a_process_that_stops_is_named_in_time(make_spec: MakeSpec, launcher: str) -> None:
    started = time.monotonic()
    said = train_while(signal.SIGSTOP, launcher, long_training(make_spec))
    assert said.startswith("process 1 of 2 gives no sign of life: nothing was done for 10 s")
    assert time.monotonic() - started < 60
    left = [
        process
        for process in psutil.Process(os.getpid()).children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and "loop_process" in " ".join(process.cmdline())
    ]
    assert left == []


@pytest.mark.parametrize("launcher", ["horovod", "torchrun"])
def test_a_process_that_dies_is_named(make_spec: MakeSpec, launcher: str) -> None:
    said = train_while(signal.SIGKILL, launcher, long_training(make_spec))
    assert re.match(r"process 1 died with exit code (137|-9); the last lines of", said), said


@pytest.mark.filterwarnings(CANCELLED)
@pytest.mark.parametrize("launcher", IN_SPARK)
def test_a_process_that_dies_in_a_spark_task_is_named(
    make_spec: MakeSpec, launcher: str, spark: SparkSession
) -> None:
    said = train_while(signal.SIGKILL, launcher, long_training(make_spec), spark)
    assert said.startswith(f"process 1 died; the last lines of {launcher}:"), said


@pytest.mark.long
@pytest.mark.filterwarnings(CANCELLED)
@pytest.mark.parametrize("launcher", IN_SPARK)
def test_a_process_that_stops_in_a_spark_task_is_named_in_time(
    make_spec: MakeSpec, launcher: str, spark: SparkSession
) -> None:
    said = train_while(signal.SIGSTOP, launcher, long_training(make_spec), spark)
    assert said.startswith("process 1 of 2 gives no sign of life: nothing was done for 10 s")
