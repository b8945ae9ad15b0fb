"""A command in steps: of each its wall time, the peaks of its memory and of what it keeps on disk, and theft.

On a virtual machine the host may give the processors to others: the share of the time that it took is told.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

EVERY = 0.5  # seconds between two looks
GIB = 2**30


@dataclass(kw_only=True)
class Peaks:
    """The most that was seen of a step: memory of all its processes, shared pages once, and disk; in GiB.

    stolen: the share of the processors' time that the host gave to others.
    """

    peak_gib: float = 0.0
    disk_gib: float = 0.0
    stolen: float = 0.0

    def add(self, memory: float, disk: float) -> None:
        """Take note of a look."""
        self.peak_gib = max(self.peak_gib, memory / GIB)
        self.disk_gib = max(self.disk_gib, disk / GIB)


@dataclass(kw_only=True)
class Measured:
    """What a command printed of each step and at last, lines of JSON, and what they took."""

    said: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def seconds(self) -> dict[str, float]:
        """Return the seconds of each step that was timed."""
        return {name: step["seconds"] for name, step in self.steps.items() if "seconds" in step}

    @property
    def peak_gib(self) -> float:
        """Return the most memory at any time."""
        return float(max(step["peak_gib"] for step in self.steps.values()))

    @property
    def disk_gib(self) -> float:
        """Return the most disk at any time."""
        return float(max(step["disk_gib"] for step in self.steps.values()))


def measure(command: Sequence[str], folder: Path, *, beside: str | None = None) -> Measured:
    """Run a command that writes below a folder, but for one below it that is not counted.

    The command prints a line of JSON with `step` at the end of each, and a last one. Raises RuntimeError with
    its last lines when it fails.
    """
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    found, lines = Measured(), list[str]()
    watch = _Watch(started.pid, folder, beside)
    try:
        for line in started.stdout:
            lines.append(line)
            if line.startswith("{"):
                said = json.loads(line)
                if "step" in said:
                    found.steps[said.pop("step")] = said | vars(watch.take())
                else:
                    found.said = said
    finally:
        watch.end()
    if started.wait() != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {started.returncode}: {''.join(lines[-20:])}")
    return found


class _Watch:
    """Looks at a process and a folder until it is ended."""

    def __init__(self, pid: int, folder: Path, beside: str | None) -> None:
        self._root, self._folder, self._beside = psutil.Process(pid), folder, beside
        self._peaks, self._lock, self._done = Peaks(), threading.Lock(), threading.Event()
        self._times = psutil.cpu_times()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def take(self) -> Peaks:
        """Return what was seen since the last call, and now."""
        self._note()
        with self._lock:
            peaks, self._peaks = self._peaks, Peaks()
        before, self._times = self._times, psutil.cpu_times()
        passed = [now - then for now, then in zip(self._times, before, strict=True)]
        peaks.stolen = (self._times.steal - before.steal) / max(sum(passed), 1e-9)
        return peaks

    def end(self) -> None:
        """Stop looking."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(EVERY):
            self._note()

    def _note(self) -> None:
        memory, disk = _memory(self._root), _size(self._folder, self._beside)
        with self._lock:
            self._peaks.add(memory, disk)


def _memory(root: psutil.Process) -> float:
    total = 0.0
    try:
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return total  # ended
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # ended meanwhile
    return total


def _size(folder: Path, beside: str | None) -> float:
    total = 0
    for parent, folders, files in os.walk(folder):  # passes over folders that are moved meanwhile
        if parent == str(folder) and beside in folders:
            folders.remove(beside)
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                continue  # moved meanwhile
    return total
