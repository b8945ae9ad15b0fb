"""Ctrl-C and a polite kill while Spark works, and what a process that lives on sees of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sequoia.interrupt import interruptible, spark_started
from sequoia.road.stage import Context

JOBS = Path(__file__).parents[1] / "jobs"
SLOW_STAGE = f"""
import runpy
from sequoia.road import walk
from sequoia.road.stage import Stage

def run(context):
    print("working", flush=True)
    context.spark.range(10**14).selectExpr("sum(id % 7)").collect()

walk.load_stage = lambda name: Stage(name=name, help="", run=run)
runpy.run_path({str(JOBS / "ingest.py")!r}, run_name="__main__")
"""


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stage_that_is_cancelled_reaches_the_diary_and_gives_the_lock_back(
    number: signal.Signals, tmp_path: Path, make_context: Callable[..., Context]
) -> None:
    """The job would take days; where the diary is Spark's, its line would wait for it."""
    workspace = tmp_path / "workspace"
    settings = ["ingest.raw=/nowhere", f"workspace={workspace}", "spark.driver_memory=1g"]
    command = [sys.executable, "-c", SLOW_STAGE, *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert list((workspace / ".lock").iterdir()) == []
    [row] = make_context(f"workspace={workspace}").tables.read("stage_runs").collect()
    assert (row["stage"], row["status"], row["error_type"]) == ("ingest", "failed", "KeyboardInterrupt")
    assert row["error"] == f"stopped by {number.name}"


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


def test_a_process_that_lives_on_has_its_own_handlers_again() -> None:
    before = handlers()
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
        spark_started()
        assert signal.getsignal(signal.SIGINT) is not before[1]
        with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
    assert handlers() == before
    spark_started()
    assert handlers() == before


def test_in_another_thread_than_the_main_one_nothing_is_changed() -> None:
    before, seen = handlers(), []

    def command() -> None:
        with interruptible():
            spark_started()
            seen.append(handlers())

    thread = threading.Thread(target=command)
    thread.start()
    thread.join()
    assert seen == [before]
