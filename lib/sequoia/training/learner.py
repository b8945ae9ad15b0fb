"""One step of a training: the gradients of all ranks' batches added up, and the optimizer moved by them.

Randomness is a function of the seed and of what is drawn for (an epoch and step, an event), not of what ran
before and not of the rank; the optimizer is torch's own under every launcher. So a resumed run goes on
exactly as the interrupted one would have, and several ranks learn what one would.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from sequoia.distributed.collective import Collective
from sequoia.distributed.gradients import GradientSum
from sequoia.distributed.values import joined
from sequoia.losses.choice import Loss
from sequoia.neural.model import NeuralModel
from sequoia.splitmix64 import stream_keys
from sequoia.training.examples import Step, training_loss
from sequoia.training.settings import TrainingSettings

# Before 2.4 torch refuses the fused optimizer on a processor; Databricks 15.4 LTS ML has 2.3.
FUSED = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 4)
NEGATIVES = 4 << 32  # the purpose of the hash that a step's negatives come from; an epoch is added


class Learner:
    """A model with its loss and optimizer; the ranks of the group call `learn` with their steps together."""

    def __init__(
        self, model: NeuralModel, loss: Loss, group: Collective, settings: TrainingSettings, seed: int
    ) -> None:
        self.model = model
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=FUSED
        )
        self._loss = loss
        self._group = group
        self._settings = settings
        self._seed = seed
        self.device = model.table.device
        self._gradients = GradientSum(model.parameters(), group)

    def learn(self, step: Step) -> Tensor:
        """Take a step; return the loss summed over the targets of all ranks, and their number (float64)."""
        batches = [examples.to(self.device) for examples in step.batches]
        negatives_S = self._negatives(step)
        self._gradients.zero(backwards=len(batches))
        total = torch.zeros(2, dtype=torch.float64, device=self.device)
        for examples in batches:
            loss = training_loss(self.model, examples, self._loss, negatives_S)
            loss.backward()  # type: ignore[no-untyped-call]
            total[0] += loss.detach()
            total[1] += len(examples.targets_N)
        self._group.start_sum(total)()
        self._gradients.finish(1 / total[1].clamp(min=1).float())
        if self._settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self._settings.clip_norm)
        for options in self.optimizer.param_groups:
            options["lr"] = self.rate(step)
        self.optimizer.step()
        return total

    def rate(self, step: Step) -> float:
        """Return the learning rate of a step."""
        return learning_rate(
            self._settings, step.epoch * step.of + step.number, self._settings.epochs * step.of
        )

    def _negatives(self, step: Step) -> Tensor:
        """Draw the negatives of a step, the same on every rank."""
        targets_M = step.targets()
        if self._loss.needs_batch:
            targets_M = joined(targets_M, self._group)
        seed = stream_keys(self._seed, np.array([step.number]), NEGATIVES + step.epoch)[0] >> np.uint64(1)
        return self._loss.draw(targets_M.to(self.device), torch.Generator().manual_seed(int(seed)))


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """Return the rate of a step (from 0) of `steps`: linear warm-up times a half cosine to a fiftieth."""
    warmed = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    return settings.learning_rate * warmed * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)
