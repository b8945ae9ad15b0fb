"""What the launching process makes of signs of life: which process of a group is stuck, and since when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

BEAT = "sequoia-beat: "
SILENT = 5  # beats that did not come


def interval(timeout_seconds: float) -> float:
    """Return the seconds between two beats of a process."""
    return min(10.0, timeout_seconds / 10)


@dataclass(kw_only=True)
class _Seen:
    """Of a process: how much it had done, since when, when it was heard last, whether it waited then."""

    done: int
    since: float
    heard: float
    waits: bool


class Watch:
    """Hears the beats of a group's processes, by rank."""

    def __init__(self, timeout_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout, self._clock = timeout_seconds, clock
        self._seen: dict[int, _Seen] = {}

    def hears(self, line: str) -> bool:
        """Take a line of output; say whether it was a beat."""
        if not line.startswith(BEAT):
            return False
        rank, done, waits = (int(word) for word in line.removeprefix(BEAT).split())
        now, before = self._clock(), self._seen.get(rank)
        since = now if before is None or before.done != done else before.since
        self._seen[rank] = _Seen(done=done, since=since, heard=now, waits=bool(waits))
        return True

    def stuck(self) -> str | None:
        """Return a sentence about processes that have kept the others waiting for too long, if any.

        One that waits for others is stuck itself only where all of them wait.
        """
        now = self._clock()
        seen_now = list(self._seen.items())  # another thread hears
        late = {rank: seen for rank, seen in seen_now if now - seen.since >= self._timeout}
        if not late:
            return None
        silent = SILENT * interval(self._timeout)
        gone = [rank for rank, seen in late.items() if now - seen.heard >= silent]
        busy = [rank for rank, seen in late.items() if not seen.waits]
        ranks, why = (gone, "gives no sign of life") if gone else (busy or list(late), "is stuck")
        named = " and ".join(str(rank) for rank in sorted(ranks))
        return (
            f"process {named} of {len(self._seen)} {why}: nothing was done for {self._timeout:.0f} s "
            "(training.timeout_seconds); look at its machine, or allow more time"
        )
