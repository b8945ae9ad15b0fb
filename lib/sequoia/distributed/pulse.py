"""Signs of life: each process says how far it is and whether it waits for others.

So the launching process can end a group of which one process is stuck, wherever that is, and name it. A
collective's own timeout sees only those who wait.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import TypeVar

from torch import Tensor

from sequoia.distributed.collective import Collective, Wait
from sequoia.distributed.watch import BEAT, interval

T = TypeVar("T")


class Pulse:
    """Beats from a thread of its own, until the process ends."""

    def __init__(self, rank: int, timeout_seconds: float) -> None:
        self._rank, self._every = rank, interval(timeout_seconds)
        self._done = 0
        self.waits = False
        Thread(target=self._beat, daemon=True).start()

    def progress(self) -> None:
        """Say that something was done."""
        self._done += 1

    def _beat(self) -> None:
        while True:
            sys.stdout.write(f"{BEAT}{self._rank} {self._done} {int(self.waits)}\n")
            sys.stdout.flush()
            time.sleep(self._every)


class Watched:
    """A group whose pulse knows when its process waits for the others; every verb is progress."""

    def __init__(self, group: Collective, pulse: Pulse) -> None:
        self._group, self._pulse = group, pulse
        self.rank, self.size = group.rank, group.size

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0."""
        return self._group.is_main

    def start_sum(self, tensor: Tensor) -> Wait:
        """Begin to add up."""
        wait = self._group.start_sum(tensor)
        return lambda: self._waiting(wait)

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the ranks' tensors."""
        return self._waiting(lambda: self._group.sum(tensor))

    def broadcast(self, tensor: Tensor) -> Tensor:
        """Return rank 0's tensor."""
        return self._waiting(lambda: self._group.broadcast(tensor))

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks."""
        return self._waiting(lambda: self._group.all_gather(tensor))

    def all_to_all(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Exchange rows."""
        return self._waiting(lambda: self._group.all_to_all(rows, counts))

    def reduce_scatter(self, tensor: Tensor) -> Tensor:
        """Return this rank's part of the sum."""
        return self._waiting(lambda: self._group.reduce_scatter(tensor))

    def barrier(self) -> None:
        """Wait for all processes."""
        self._waiting(self._group.barrier)

    def close(self) -> None:
        """Leave the group."""
        self._group.close()

    def _waiting(self, verb: Callable[[], T]) -> T:
        self._pulse.waits = True
        try:
            return verb()
        finally:
            self._pulse.waits = False
            self._pulse.progress()
