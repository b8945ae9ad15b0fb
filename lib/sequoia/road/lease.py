"""A lease: the file in which a process says that it works in a workspace, and whether that is still so.

The kernel's lock on the file (flock, where the file system has it) ends with its process, however that dies.
Without it a process of this machine is looked up by its number and start; another machine's is believed until
its heart has not beaten for EXPIRY.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sequoia.log import LOGGER
from sequoia.storage import Location

EXPIRY = 300.0  # seconds; far above the difference of two machines' clocks


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Who holds the lock; times are seconds since 1970."""

    run_id: str
    command: str
    host: str
    machine: str  # with its boot and process namespace: there, process numbers mean something
    process: int
    process_started: str
    since: float
    heartbeat: float

    def sentence(self, workspace: Location) -> str:
        """Return who holds which workspace since when, and what to do."""
        since = datetime.fromtimestamp(self.since, UTC)
        return (
            f"workspace {workspace} is held by run {self.run_id} ({self.command}; process {self.process} on "
            f"{self.host}) since {since:%Y-%m-%d %H:%M:%S} UTC: wait until it has ended, or name another one"
        )


def read_lease(file: Location) -> Lease | None:
    """Return the lease in a file, or None when it is gone; one that cannot be read is nobody's any more."""
    for _ in range(20):
        try:
            return Lease(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            time.sleep(0.05)  # it is just being written
    LOGGER.warning("removing %s, which is no lease", file)
    file.unlink(missing_ok=True)
    return None


def is_alive(file: Location, lease: Lease) -> bool:
    """Say whether a lease's process may still work."""
    if kernel_says_held(file):
        return True
    if lease.machine == this_machine():
        return process_started(lease.process) == lease.process_started != ""
    return time.time() - lease.heartbeat < EXPIRY


def this_machine() -> str:
    """Return what tells this machine, this start of it, and this space of process numbers from others."""
    parts = [platform.node()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def process_started(process: int) -> str | None:
    """Return when a process of this machine started, in the kernel's own units; None when there is none."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _without_proc(process)
    state, *fields = text.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def _without_proc(process: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "unknown"


def kernel_lock(file: Location) -> IO[str] | None:
    """Lock a file until this process ends; None where the file system has no such locks."""
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(file.open("r+", encoding="utf-8"))
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (OSError, ValueError, NotImplementedError):
            return None
        stack.pop_all()  # it stays open
    return opened


def kernel_says_held(file: Location) -> bool:
    """Say whether a process that this kernel knows of holds the lock on a file."""
    try:
        with file.open("r+", encoding="utf-8") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, ValueError, NotImplementedError):
        return False
    return False
