"""Launchers: start the processes of one training and wait for them.

All of them run the same module with the same argument; inside, `connect` joins the group, and `send_note`
tells the launching process how things go.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil

from sequoia.distributed.watch import Watch
from sequoia.errors import UserError, user_error_in
from sequoia.log import LOGGER

# Large logits are mapped and unmapped at every step unless glibc keeps what is freed.
KEEP_MEMORY = (
    "glibc.malloc.mmap_max=0",
    "glibc.malloc.trim_threshold=4294967296",
    "glibc.malloc.top_pad=268435456",
)

# Of the time without progress: by then the watch has ended the group, and said which process is to blame.
COLLECTIVES_LAST = 2
# How horovodrun and torchrun name the process that ended first.
DIED = re.compile(r"Process name: (\d+)\s+Exit code: (-?\d+)|rank\s+: (\d+) .*\s+exitcode\s+: (-?\d+)")
NOTE = "sequoia-note: "


def send_note(note: dict[str, Any]) -> None:
    """Hand JSON-like values to the `on_note` of the process that launched this one."""
    say(f"{NOTE}{json.dumps(note)}")


def say(line: str) -> None:
    """Write a line in one piece: other threads and processes write to the same place."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def launch(
    module: str,
    arguments: list[str],
    *,
    launcher: str,
    processes: int,
    threads: int,
    timeout_seconds: int,
    on_note: Callable[[dict[str, Any]], None] = lambda note: None,
) -> None:
    """Run `python -m module arguments...` on a group of processes and pass their lines on to the log.

    Raises UserError with the sentence of a process that refused its input, or when the launcher is not
    installed; RuntimeError with the last lines when a process died, or with its rank when one is stuck. What
    `on_note` raises ends the group.
    """
    command = [*_prefix(launcher, processes, timeout_seconds), "-m", module, *arguments]
    tail: list[str] = []
    mistake: Exception | None = None
    process = subprocess.Popen(
        command,
        env=_environment(threads, timeout_seconds),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    guard = _Guard(process, Watch(timeout_seconds))
    try:
        for line in process.stdout:
            plain = re.sub(r"^\[\d+\](<stdout>|<stderr>):", "", line.rstrip("\n"))
            if guard.watch.hears(plain):
                continue
            tail = [*tail[-40:], plain]
            mistake = mistake or user_error_in(plain)
            if plain.startswith("    "):
                LOGGER.info("%s", plain.strip())
            elif plain.startswith(NOTE):
                on_note(json.loads(plain.removeprefix(NOTE)))
    except BaseException:
        process.terminate()
        raise
    finally:
        guard.ended.set()
    if process.wait() != 0:
        if mistake is not None:
            raise mistake
        if guard.stuck is not None:
            raise RuntimeError(guard.stuck)
        _explain(tail, process.returncode, launcher)


class _Guard(Thread):
    """Kills the processes of a group of which one is stuck; `stuck` says which."""

    def __init__(self, process: subprocess.Popen[str], watch: Watch) -> None:
        super().__init__(daemon=True)
        self.watch, self.ended = watch, Event()
        self.stuck: str | None = None
        self._process = process
        self.start()

    def run(self) -> None:
        """Look once a second."""
        while not self.ended.wait(1.0):
            self.stuck = self.watch.stuck()
            if self.stuck is not None:
                with suppress(psutil.NoSuchProcess):
                    for one in psutil.Process(self._process.pid).children(recursive=True):
                        with suppress(psutil.NoSuchProcess):
                            one.kill()
                self._process.kill()
                return


def _prefix(launcher: str, processes: int, timeout_seconds: int) -> list[str]:
    if launcher == "horovod":
        start = ["--start-timeout", str(min(timeout_seconds, 120))]
        return [_horovodrun(), "--gloo", "-np", str(processes), *start, sys.executable]
    if launcher == "torchrun":
        return [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
        ]
    return [sys.executable]


def _horovodrun() -> str:
    found = shutil.which("horovodrun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        raise UserError(
            "launcher horovod needs Horovod, which is not installed here: run `make setup`, or set "
            "training.launcher=torchrun"
        )
    return found


def _environment(threads: int, timeout_seconds: int) -> dict[str, str]:
    return {
        **os.environ,
        # A notebook's or a cluster's libraries may lie outside the environment of the interpreter.
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), *sys.path])),
        "OMP_NUM_THREADS": str(threads),
        "PYTHONUNBUFFERED": "1",
        # Gradients come in buckets; fused by chance they would be added up in another order each time.
        "HOROVOD_FUSION_THRESHOLD": "0",
        # Where the launching process is gone as well, a rank must not wait for ever for one that died.
        "HOROVOD_STALL_CHECK_TIME_SECONDS": str(min(60, timeout_seconds)),
        "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": str(COLLECTIVES_LAST * timeout_seconds),
        "GLIBC_TUNABLES": ":".join(KEEP_MEMORY),
    }


def _explain(tail: list[str], code: int, launcher: str) -> None:
    text = "\n".join(tail)
    who = None
    for died in DIED.finditer(text):  # the root cause stands last
        who = f"process {died[1] or died[3]} died with exit code {died[2] or died[4]}"
    ended = f"training under {launcher} ended with exit code {code}"
    raise RuntimeError(f"{who or ended}; the last lines of {launcher}:\n{text}")
