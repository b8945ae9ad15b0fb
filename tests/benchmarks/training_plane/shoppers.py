"""The shoppers whom all systems learn from, and how what they learned is judged: numpy only.

P-S3 of S3-Rec: of each user the last item is the test's, the one before it validation's; all items are
ranked, those of the history are not. A file has one user a line: a user number, then item numbers, oldest
first.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

LENGTH, WIDTH, BLOCKS, BATCH, RATE, DROPOUT = 50, 64, 2, 256, 1e-3, 0.2
K, USERS_AT_ONCE = 10, 512
Scores = Callable[[list[list[int]]], "np.ndarray[Any, np.dtype[np.float32]]"]


def read(path: Path) -> list[list[int]]:
    """Return each user's items, numbered from 1."""
    with gzip.open(path, "rt") as file:
        return [[int(item) for item in line.split()[1:]] for line in file]


def training(users: Sequence[list[int]]) -> list[list[int]]:
    """Return the items that train."""
    return [items[:-2] for items in users]


def num_positions(users: Sequence[list[int]]) -> int:
    """Return how many targets an epoch has: every item that trains but the first, of the newest 51."""
    return sum(min(len(items) - 2, LENGTH + 1) - 1 for items in users)


def test_ndcg(users: Sequence[list[int]], scores: Scores) -> float:
    """Return NDCG@10 of the test items; scores: of histories, (B, items + 1), item n in column n."""
    gains = []
    for start in range(0, len(users), USERS_AT_ONCE):
        batch = users[start : start + USERS_AT_ONCE]
        found = np.array(scores([items[:-1] for items in batch]), np.float32)
        found[:, 0] = -np.inf
        for row, items in zip(found, batch, strict=True):
            own = row[items[-1]]
            row[items[:-1]] = -np.inf
            rank = int((row >= own).sum()) if row[items[-1]] > -np.inf else K + 1
            gains.append(1 / np.log2(rank + 1) if rank <= K else 0.0)
    return float(np.mean(gains))


class Epochs:
    """Prints what each epoch took; says when the time is over."""

    def __init__(self, positions: int, seconds: float) -> None:
        self._positions, self._limit = positions, seconds
        self._begin = self._last = time.perf_counter()

    def end(self) -> None:
        """Tell an epoch, unless it was cut short."""
        now = time.perf_counter()
        if now - self._begin >= self._limit:
            return
        say(step="epoch", seconds=now - self._last, positions=self._positions)
        self._last = now

    @property
    def elapsed(self) -> float:
        """Return the seconds since training began."""
        return time.perf_counter() - self._begin

    @property
    def are_over(self) -> bool:
        """Say whether the time is over."""
        return self.elapsed >= self._limit


def say(**values: object) -> None:
    """Print a line for the process that measures."""
    print(json.dumps(values), flush=True)
