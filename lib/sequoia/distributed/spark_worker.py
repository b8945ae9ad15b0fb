"""A process of a group in a Spark task: the driver hears what it writes, and it ends when the driver does."""

from __future__ import annotations

import atexit
import ctypes
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from sequoia.distributed.launch import say

GOODBYE = "sequoia-goodbye"
KEEP_MEMORY = {-4: 0, -1: 1 << 30, -2: 1 << 28}  # mallopt's M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
# Its standard input ends with the process that it guards.
GUARD = """
import os, select, signal, sys
connection, guarded = (int(word) for word in sys.argv[1:])
ready, _, _ = select.select([connection, 0], [], [])
if 0 not in ready:
    os.kill(guarded, signal.SIGKILL)
"""


def make_task(path: list[str], *order: Any) -> Callable[[], None]:
    """Return a function that calls `work`, also where sequoia came as a file of the Spark job.

    path: where the driver finds modules. The function is pickled by value, and holds plain values only.
    """

    def task() -> None:
        import os
        import sys

        for place in path:
            # Spark brings files of a job to the folder that its tasks run in.
            found = place if os.path.exists(place) else os.path.abspath(os.path.basename(place))
            if os.path.exists(found) and found not in sys.path:
                sys.path.append(found)
        from sequoia.distributed.spark_worker import work

        work(*order)

    return task


def work(
    home: tuple[str, int], token: str, environment: dict[str, str], module: str, arguments: list[str]
) -> None:
    """Run a module's `work`, connected to where the driver listens; it knows its processes by the token."""
    os.environ.update(environment)
    _keep_memory()
    rank = os.environ.get("HOROVOD_RANK") or os.environ["RANK"]
    before = sys.stdout, sys.stderr
    with socket.create_connection(home) as channel:
        lines = channel.makefile("w", encoding="utf-8", buffering=1)
        lines.write(f"{token} {rank}\n")
        lines.flush()
        guard = _guard(channel)
        sys.stdout = sys.stderr = lines
        try:
            import_module(module).work(arguments)
            say(GOODBYE)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stdout, sys.stderr = before
            with suppress(OSError):
                lines.flush()
            guard.communicate()  # before the connection ends
            with suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
    # As `end_process` does: torch at times aborts when a process takes down what was done with.
    if "torch" in sys.modules and "HOROVOD_RANK" not in os.environ:
        atexit.register(os._exit, 0)


def _guard(channel: socket.socket) -> subprocess.Popen[bytes]:
    """Start a process that kills this one, be it stopped, when the driver closes the connection."""
    place = channel.fileno()
    command = [sys.executable, "-c", GUARD, str(place), str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[place])


def _keep_memory() -> None:
    """Let glibc keep what is freed, as the other launchers do by its variables: they come too late here."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in KEEP_MEMORY.items():
            mallopt(parameter, value)
