"""One step of a training: the gradients of all ranks' batches added up, and the optimizer moved by them.

Randomness is a function of the seed and of what is drawn for (an epoch and step, an event), not of what ran
before and not of the rank; the optimizer is torch's own under every launcher. So a resumed run goes on
exactly as the interrupted one would have, and several ranks learn what one would.
"""

from __future__ import annotations

import math
import os
import shutil
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from sequoia.distributed.collective import Collective
from sequoia.distributed.gradients import GradientSum
from sequoia.distributed.values import joined
from sequoia.errors import UserError
from sequoia.losses.choice import Loss, multiplies_bfloat16
from sequoia.neural.model import NeuralModel
from sequoia.splitmix64 import stream_keys
from sequoia.training.checkpoint import Tensors, optimizer_state, set_optimizer_state
from sequoia.training.examples import Encode, Examples, Step, training_loss
from sequoia.training.item_optimizer import ItemOptimizer
from sequoia.training.settings import TrainingSettings

# Before 2.4 torch refuses the fused optimizer on a processor; Databricks 15.4 LTS ML has 2.3.
FUSED = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 4)
TINY = 1e-6
NEGATIVES = 4 << 32  # the purpose of the hash that a step's negatives come from; an epoch is added


class Learner:
    """A model with its loss and optimizer; the ranks of the group call `learn` with their steps together."""

    def __init__(
        self, model: NeuralModel, loss: Loss, group: Collective, settings: TrainingSettings, seed: int
    ) -> None:
        self.model = model
        self.item_rule = rule = item_rule(settings.item_optimizer, loss)
        self._items = None if rule == "dense" else ItemOptimizer(model.table, rule, group)
        rest = model.table.weight if self._items else None
        self._parameters = [one for one in model.parameters() if one is not rest]
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=FUSED
        )
        self._loss = loss
        self._group = group
        self._settings = settings
        self._seed = seed
        self.device = model.table.device
        self._precision = precision_on(self.device, settings.precision)
        self._gradients = GradientSum(self._parameters, group)
        self._encode: Encode = compiled(model) if settings.compile else model.encode

    def learn(self, step: Step) -> Tensor:
        """Take a step; return the loss summed over the targets of all ranks, and their number (float64)."""
        batches = [examples.to(self.device) for examples in step.batches]
        negatives_S = self._negatives(step)
        self._gradients.zero(backwards=len(batches))
        if self._items is not None:
            self._items.zero()
        total = torch.zeros(2, dtype=torch.float64, device=self.device)
        for examples in batches:
            loss = self._loss_of(self._encode, examples, negatives_S)
            loss.backward()  # type: ignore[no-untyped-call]
            total[0] += loss.detach()
            total[1] += len(examples.targets_N)
        self._gradients.start_rest()
        wait = self._group.start_sum(total)
        self._gradients.wait()
        wait()
        self._move(1 / total[1].clamp(min=1).float(), self.rate(step))
        return total

    def gradients_of(self, examples: Examples) -> tuple[Tensor | None, ...]:
        """Return the gradients of a batch of this rank, by parameter; nothing is learned and nobody waits."""
        negatives_S = self._loss.draw(examples.targets_N, torch.Generator().manual_seed(self._seed))
        loss = self._loss_of(self.model.encode, examples, negatives_S)
        return torch.autograd.grad(loss, [*self.model.parameters()], allow_unused=True)

    @property
    def dtype(self) -> torch.dtype:
        """Return the type in which most of it is multiplied."""
        return self._precision if self._loss.samples else self._loss.dtype

    def _loss_of(self, encode: Encode, examples: Examples, negatives_S: Tensor) -> Tensor:
        return training_loss(encode, self.model.table, examples, self._loss, negatives_S, self._precision)

    def _move(self, scale: Tensor, rate: float) -> None:
        """Multiply the summed gradients, cut them where they are too long, and move the parameters."""
        self._gradients.multiply(scale)
        gradients = [one.grad for one in self._parameters if one.grad is not None]
        if self._items is not None:
            gradients.append(self._items.finish(scale))
        if self._settings.clip_norm is not None:
            length = torch.stack([gradient.norm() for gradient in gradients]).norm()
            for gradient in gradients:
                gradient.mul_((self._settings.clip_norm / (length + TINY)).clamp(max=1))
        for options in self._optimizer.param_groups:
            options["lr"] = rate
        self._optimizer.step()
        for parameter in self._parameters:  # the fused step does not tell that it changed them
            increment_version(parameter)
        if self._items is not None:
            self._items.step(rate)

    def tensors(self) -> Tensors:
        """Return what the training consists of: weights, and the optimizers' state by name."""
        of_items = self._items.state if self._items is not None else {}
        return {
            "weights": dict(self.model.state_dict()),
            "optimizer": optimizer_state(self._optimizer),
            "items": dict(of_items),
        }

    def load(self, tensors: Tensors) -> None:
        """Take up what another learner of this kind had; an optimizer without a state begins anew."""
        with torch.no_grad():
            self.model.load_state_dict(tensors["weights"])
        set_optimizer_state(self._optimizer, tensors["optimizer"])
        if self._items is not None:
            self._items.load(tensors["items"])

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


def compiled(model: NeuralModel) -> Encode:
    """Return the model's `encode` as a program for batches of all shapes, made at the first ones.

    Raises UserError where there is no compiler.
    """
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise UserError(
            f"training.compile = true needs a C++ compiler, and {compiler} is not here: install it, or set "
            "training.compile=false"
        )
    encode: Encode = torch.compile(model.encode, dynamic=True)
    return encode


def item_rule(wanted: str, loss: Loss) -> Literal["dense", "adam", "adagrad"]:
    """Return how the item table is moved: `auto` is Adam, of the used rows where the loss samples.

    Raises UserError when only used rows are to move, but the loss uses all of them.
    """
    if wanted == "auto":
        return "adam" if loss.samples else "dense"
    if wanted != "dense" and not loss.samples:
        raise UserError(
            f"training.item_optimizer = {wanted} moves the rows that were used, and loss.kind = full uses "
            "all of them: set training.item_optimizer=auto, or another loss.kind"
        )
    return cast(Literal["dense", "adam", "adagrad"], wanted)


def precision_on(device: torch.device, wanted: str) -> torch.dtype:
    """Return the type of the model's products: `auto` is bfloat16 on a GPU that has it.

    On a processor the products of a small model gain nothing, and casting costs.
    """
    if wanted == "auto":
        wanted = "bfloat16" if device.type == "cuda" and multiplies_bfloat16(device) else "float32"
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """Return the rate of a step (from 0) of `steps`: linear warm-up times a half cosine to a fiftieth."""
    warmed = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    return settings.learning_rate * warmed * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)
