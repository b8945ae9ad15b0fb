"""Holds the lock of a workspace in a process of its own: WORKSPACE RUN_ID; says when, waits for a line."""

from __future__ import annotations

import sys
from pathlib import Path

from sequoia.road.lock import WorkspaceLock

if __name__ == "__main__":
    with WorkspaceLock(Path(sys.argv[1]), run_id=sys.argv[2], command="sequoia train"):
        print("held", flush=True)
        sys.stdin.readline()
