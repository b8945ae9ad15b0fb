"""One run at a time in a workspace: who writes holds its lock, and a second one is told at once who that is.

What it guarantees: of two commands that want the same workspace, one gets it and the other LockHeldError, on
one machine or two, if files can be created exclusively there. Processes with the same run id (the tasks of a
workflow) share it. Workspaces never block each other. A holder that crashed is noticed: at once on the same
machine, elsewhere when its heart-beat is older than EXPIRY.
What it does not: a process that is stopped for longer than EXPIRY, while another took over, is ended before
its next stage, not in the middle of one; what both write is whole even then, as tables are committed.

Below the workspace, `.lock/` has a lease per holder (lease.py), and while somebody comes in a file `door`.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import IO

from sequoia.errors import LockHeldError, UserError
from sequoia.log import LOGGER
from sequoia.road.lease import EXPIRY, Lease, is_alive, kernel_lock, process_started, read_lease, this_machine
from sequoia.secrets import redact
from sequoia.storage import Location

FOLDER = ".lock"
DOOR = "door"
HEARTBEAT = 20.0  # seconds
DOOR_EXPIRY = 30.0  # seconds; behind the door there is a handful of small files to read


class WorkspaceLock:
    """The lock of one workspace, to be held by `with`; see the module."""

    def __init__(self, workspace: Location, *, run_id: str, command: str) -> None:
        self._workspace = workspace
        self._folder = workspace / FOLDER
        now = time.time()
        self._lease = Lease(
            run_id=run_id,
            command=redact(command),
            host=platform.node(),
            machine=this_machine(),
            process=os.getpid(),
            process_started=process_started(os.getpid()) or "",
            since=now,
            heartbeat=now,
        )
        self._file = self._folder / f"{run_id}-{uuid.uuid4().hex[:8]}.json"
        self._kernel: IO[str] | None = None
        self._stop = threading.Event()
        self._lost = False

    def __enter__(self) -> WorkspaceLock:
        """Take the lock or raise LockHeldError; UserError where the workspace cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _door(self._folder / DOOR, self._workspace):
                for file in _leases(self._folder):
                    self._pass_by(file)
                self._write(self._file)
                self._kernel = kernel_lock(self._file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(
                f"workspace {self._workspace} cannot be written ({reason}): name another, or allow it"
            ) from error
        threading.Thread(target=self._beat, name="lease", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)
        if self._kernel:
            self._kernel.close()

    def check(self) -> None:
        """Raise LockHeldError when the lease is gone: this process stood still for longer than EXPIRY."""
        if self._lost or not self._file.exists():
            raise LockHeldError(
                f"run {self._lease.run_id} lost the lock of workspace {self._workspace}, as it stood still "
                f"for more than {EXPIRY:.0f} s: start it again"
            )

    def _pass_by(self, file: Location) -> None:
        """Go past one holder: it has died, or belongs to this run; else raise LockHeldError."""
        lease = read_lease(file)
        if lease is not None and lease.run_id != self._lease.run_id:
            if is_alive(file, lease):
                raise LockHeldError(lease.sentence(self._workspace))
            LOGGER.warning(
                "taking over from run %s (process %d on %s), which ended without giving the workspace back",
                *(lease.run_id, lease.process, lease.host),
            )
            file.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            if not self._file.exists():
                self._lost = True
                LOGGER.error("the lease of workspace %s is gone", self._workspace)
                return
            with contextlib.suppress(OSError):  # the next one may succeed, and there is time until EXPIRY
                self._write(self._file)

    def _write(self, file: Location) -> None:
        self._lease = replace(self._lease, heartbeat=time.time())
        # Not replaced by another file: the kernel's lock is on this one.
        file.write_text(json.dumps(asdict(self._lease)), encoding="utf-8")


def _leases(folder: Location) -> list[Location]:
    return sorted(file for file in folder.iterdir() if file.name.endswith(".json"))


@contextmanager
def _door(door: Location, workspace: Location) -> Iterator[None]:
    """Be the only one who comes in; a door that somebody left locked is opened after DOOR_EXPIRY."""
    since, before = time.monotonic(), ""
    while True:
        try:
            with door.open("x", encoding="utf-8") as opened:
                opened.write(uuid.uuid4().hex)
            break
        except FileExistsError:
            inside = _text(door)
            if inside != before:
                since, before = time.monotonic(), inside
            elif time.monotonic() - since > DOOR_EXPIRY:
                LOGGER.warning("opening the door of workspace %s, which was left locked", workspace)
                door.unlink(missing_ok=True)
            time.sleep(0.05)
    try:
        yield
    finally:
        door.unlink(missing_ok=True)


def _text(file: Location) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8")
    return ""
