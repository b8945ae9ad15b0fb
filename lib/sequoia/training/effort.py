"""What a training costs: parameters, operations for a target, and how much of the machine's own rate it uses.

Only products of matrices count, of the model and its loss, forward and backward (torch's counter); the rate
is that of square products on the device, in the type of the logits: 1.0 cannot be reached.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from sequoia.training.examples import Step
from sequoia.training.learner import Learner

SIZE = {"cpu": 1024, "cuda": 8192}  # of the square matrices
REPEATS = 5
# The counter of torch 2.3 fails at a product that is written to a tensor which is there.
COUNTS = "out_val" in signature(flop_registry[torch.ops.aten.mm], follow_wrapped=False).parameters


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Parameters of a model, operations for a target, and what this process' device does in a second."""

    parameters: int
    flops_per_target: float
    device_flops: float

    @staticmethod
    def of(learner: Learner, step: Step) -> Effort | None:
        """Measure with a batch of a step, of which nothing is learned.

        None without targets, and where torch cannot count.
        """
        if not step.batches or not COUNTS:
            return None
        examples = step.batches[0].to(learner.device)
        with FlopCounterMode(display=False) as counter:
            learner.gradients_of(examples)
        return Effort(
            parameters=sum(parameter.numel() for parameter in learner.model.parameters()),
            flops_per_target=counter.get_total_flops() / len(examples.targets_N),
            device_flops=_rate(learner.device, learner.dtype),
        )

    def note(self, targets: int, seconds: float, processes: int) -> dict[str, Any]:
        """Return what is told of it, once so many targets were learned by so many processes."""
        reached = targets / processes / max(seconds, 1e-9) * self.flops_per_target
        return {
            "epoch": 0,
            "parameters": self.parameters,
            "flops_per_target": self.flops_per_target,
            "utilisation": reached / self.device_flops,
        }


def _rate(device: torch.device, dtype: torch.dtype) -> float:
    """Return the operations a second of a square product, the best of a few."""
    size = SIZE[device.type]
    square = torch.randn(size, size, device=device).to(dtype)
    product, seconds = torch.empty_like(square), []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        torch.mm(square, square, out=product)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - begin)
    return 2.0 * size**3 / min(seconds)
