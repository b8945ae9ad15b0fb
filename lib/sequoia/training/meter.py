"""How an epoch goes: its loss so far, its speed, and the time spent waiting for input."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from sequoia.training.checkpoint import Progress
from sequoia.training.examples import Step

TELL_EVERY = 5.0  # seconds between two notes within an epoch


class Meter:
    """Adds up what steps return without waiting for it; the figures reach Progress when it is settled."""

    def __init__(self, progress: Progress, device: torch.device) -> None:
        self._progress, self._device = progress, device
        self._total = torch.tensor(
            [progress.loss, progress.targets], dtype=torch.float64, device=device
        )  # of the epoch: adding up parts of it would round otherwise than a run without a break
        self._since = self._told = time.perf_counter()
        self._waited = 0.0

    def timed(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Yield steps, and count the time that they are waited for."""
        while True:
            asked = time.perf_counter()
            step = next(steps, None)
            self._waited += time.perf_counter() - asked
            if step is None:
                return
            yield step

    def add(self, total: Tensor) -> None:
        """Count a step's summed loss and number of targets."""
        self._total += total

    @property
    def is_due(self) -> bool:
        """Say whether it is time for a note."""
        return time.perf_counter() - self._told >= TELL_EVERY

    def settle(self) -> dict[str, float]:
        """Bring Progress up to date; return the figures since the last time."""
        before, now = self._progress, time.perf_counter()
        loss, targets = self._total.tolist()
        fresh, seconds = int(targets) - before.targets, max(now - self._since, 1e-9)
        found = {
            "loss": (loss - before.loss) / max(fresh, 1),
            "targets_per_second": fresh / seconds,
            "input_wait": self._waited / seconds,
            "memory_gib": _memory(self._device) / 2**30,
        }
        before.loss, before.targets = loss, int(targets)
        before.seconds += seconds
        before.waited += self._waited
        self._told = now
        self.restart()
        return found

    def restart(self) -> None:
        """Let the time since the figures were settled not count as training."""
        self._since, self._waited = time.perf_counter(), 0.0

    def next_epoch(self) -> None:
        """Begin at nothing."""
        self._total.zero_()
        self.restart()


def _memory(device: torch.device) -> int:
    """Return the most memory this process has held, on the GPU where it trains on one, in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def step_note(step: Step, rate: float, figures: dict[str, float]) -> dict[str, Any]:
    """Return what is told within an epoch."""
    return {"epoch": step.epoch, "step": step.number + 1, "steps": step.of, "rate": rate, **figures}
