"""Run the long commands of the set-up: output to a log, one line per step with its seconds shown."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HEARTBEAT_SECONDS = 20.0
TAIL_LINES = 30


class Step:
    """A running command with its log; wait for it, or stop it with everything it started."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.log = log
        self.started = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A session of its own, so that stop() reaches the compilers that pip started.
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=own_environment(),
                start_new_session=True,
                # Python's own files stay closed to the command; the lock of install.py goes along.
                close_fds=False,
            )

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def wait(self) -> bool:
        """Show progress until the command ends; return whether it succeeded."""
        shown = time.monotonic()
        try:
            while self.process.poll() is None:
                time.sleep(0.2)
                if sys.stdout.isatty() or time.monotonic() - shown >= HEARTBEAT_SECONDS:
                    shown = time.monotonic()
                    show(f"setup: {self.name} ... {self.seconds:.0f} s  {last_line(self.log)}", passing=True)
        except BaseException:
            self.stop()
            raise
        return self.process.returncode == 0

    @property
    def ended(self) -> bool:
        """Tell whether the command came to an end of its own, well or badly."""
        return self.process.returncode is not None and self.process.returncode >= 0

    def stop(self) -> None:
        """End the command and all its children."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()

    def finish(self) -> None:
        """Wait; print the step's line, or the end of its log and leave with exit status 1."""
        if self.wait():
            show(f"setup: {self.name}  {self.seconds:.0f} s")
            return
        show(f"setup: {self.name} failed after {self.seconds:.0f} s; the end of {self.log}:")
        tail = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        raise SystemExit(
            "\n".join(["", *tail, f"setup: {self.name} failed; mend the cause and run make setup again."])
        )


def own_environment() -> dict[str, str]:
    """Return the environment without what would lead a step out of .venv."""
    return {
        key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "PYTHONHOME", "PIP_USER"}
    }


def last_line(log: Path) -> str:
    """Return the last line of a growing log that is short enough to mean something to a reader."""
    with log.open("rb") as output:
        output.seek(max(0, log.stat().st_size - 50_000))
        lines = output.read().decode(errors="replace").split("\n")
    # The first is a fragment, and a compiler's command lines run over many screens.
    return next((line.strip() for line in reversed(lines[1:]) if 0 < len(line.strip()) <= 120), "")


def show(line: str, passing: bool = False) -> None:
    """Print a line; on a terminal a passing one is overwritten by the next."""
    if not sys.stdout.isatty():
        print(line[:160] if passing else line, flush=True)
        return
    width = shutil.get_terminal_size().columns - 1
    text = line[:width] if passing else line
    print(f"\r{text:<{width}}", end="" if passing else "\n", flush=True)
