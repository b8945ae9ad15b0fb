"""A command with its wall time, the peak of its memory and the peak of what it keeps on disk."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

EVERY = 0.5  # seconds between two looks
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a command printed last, as JSON, and what it took."""

    said: dict[str, Any]
    peak_gib: float  # of the command and its children, pages that several share counted once
    disk_gib: float


def measure(command: Sequence[str], folder: Path) -> Measured:
    """Run a command that writes below a folder; raises RuntimeError with its output when it fails."""
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peaks = {"memory": 0.0, "disk": 0.0}
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(started.pid, folder, peaks, done))
    watch.start()
    try:
        output, _ = started.communicate()
    finally:
        done.set()
        watch.join()
    if started.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {started.returncode}: {output[-2000:]}")
    said = json.loads(output.splitlines()[-1])
    return Measured(said=said, peak_gib=peaks["memory"] / GIB, disk_gib=peaks["disk"] / GIB)


def _watch(pid: int, folder: Path, peaks: dict[str, float], done: threading.Event) -> None:
    root, look = psutil.Process(pid), 0
    while not done.wait(EVERY):
        peaks["memory"] = max(peaks["memory"], _memory(root))
        look += 1
        if look % 4 == 0:
            peaks["disk"] = max(peaks["disk"], _size(folder))
    peaks["disk"] = max(peaks["disk"], _size(folder))


def _memory(root: psutil.Process) -> float:
    total = 0.0
    try:
        for process in [root, *root.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue  # ended meanwhile
    except psutil.Error:
        time.sleep(0)
    return total


def _size(folder: Path) -> float:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512 if path.is_file() else 0
        except OSError:
            continue  # moved meanwhile
    return total
