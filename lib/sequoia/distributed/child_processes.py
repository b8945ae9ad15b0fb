"""Processes of a group as children of this one: by horovodrun (on other machines, too), torchrun, or one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from sequoia.distributed.launch import COLLECTIVES_LAST, Order
from sequoia.errors import UserError

# Large logits are mapped and unmapped at every step unless glibc keeps what is freed.
KEEP_MEMORY = (
    "glibc.malloc.mmap_max=0",
    "glibc.malloc.trim_threshold=4294967296",
    "glibc.malloc.top_pad=268435456",
)
# How horovodrun and torchrun name the process that ended first.
DIED = re.compile(r"Process name: (\d+)\s+Exit code: (-?\d+)|rank\s+: (\d+) .*\s+exitcode\s+: (-?\d+)")


class ChildProcesses:
    """A launcher that was started, and what it has started."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process = subprocess.Popen(
            [*prefix(order), "-m", order.module, *order.arguments],
            env={**os.environ, **environment(order)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def listen(self, hear: Callable[[str], None]) -> None:
        """Hand over what the processes write."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            hear(re.sub(r"^\[\d+\](<stdout>|<stderr>):", "", line.rstrip("\n")))

    def stop(self) -> None:
        """Ask the launcher to end them."""
        self._process.terminate()

    def kill(self) -> None:
        """End all of them, the launcher last."""
        with suppress(psutil.NoSuchProcess):
            for one in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        self._process.kill()

    def end(self, tail: str) -> str | None:
        """Return which process died first or how the launcher ended, None when all went well."""
        code = self._process.wait()
        if code == 0:
            return None
        ended = f"training under {self._order.launcher} ended with exit code {code}"
        for died in DIED.finditer(tail):  # the root cause stands last
            ended = f"process {died[1] or died[3]} died with exit code {died[2] or died[4]}"
        return ended


def prefix(order: Order) -> list[str]:
    """Return the command that `-m module arguments` or a file is added to."""
    if order.launcher == "horovod":
        start = ["--start-timeout", str(min(order.timeout_seconds, 120))]
        where = [] if order.hosts is None else ["-H", order.hosts]
        return [_horovodrun(), "--gloo", "-np", str(order.processes), *where, *start, sys.executable]
    if order.launcher == "torchrun":
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        return [*torchrun, f"--nproc-per-node={order.processes}"]
    return [sys.executable]


def _horovodrun() -> str:
    found = shutil.which("horovodrun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        raise UserError(
            "launcher horovod needs Horovod, which is not installed here: run `make setup`, or set "
            "training.launcher=torchrun"
        )
    return found


def environment(order: Order) -> dict[str, str]:
    """Return the variables that a process of the group is started with, beside those that are there."""
    return {
        # A notebook's or a cluster's libraries may lie outside the environment of the interpreter.
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), *sys.path])),
        "OMP_NUM_THREADS": str(order.threads),
        "PYTHONUNBUFFERED": "1",
        "GLIBC_TUNABLES": ":".join(KEEP_MEMORY),
        **of_horovod(order.timeout_seconds),
    }


def of_horovod(timeout_seconds: int) -> dict[str, str]:
    """Return the variables by which Horovod is set up."""
    return {
        # So often (in ms) its processes agree on what is on the way, also where nothing is. With its own
        # value, 1, that takes 14 % of a core from each; only steps of less than 10 ms are better off.
        "HOROVOD_CYCLE_TIME": os.environ.get("HOROVOD_CYCLE_TIME", "3"),
        # Gradients come in buckets; fused by chance they would be added up in another order each time.
        "HOROVOD_FUSION_THRESHOLD": "0",
        # Where the launching process is gone as well, a rank must not wait for ever for one that died.
        "HOROVOD_STALL_CHECK_TIME_SECONDS": str(min(60, timeout_seconds)),
        "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": str(COLLECTIVES_LAST * timeout_seconds),
    }
