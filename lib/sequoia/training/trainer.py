"""The training loop: equal steps on every rank, one normalised loss, checkpoints, early stop.

Randomness is a function of (seed, epoch, step), not of what ran before, and the optimizer is torch's own
under every launcher, so a resumed run goes on exactly as the interrupted one would have; negatives are the
same on every rank, dropout differs per rank.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sequoia.distributed.collective import Collective
from sequoia.distributed.gradients import GradientSum
from sequoia.distributed.values import from_main, joined, tensors_from_main
from sequoia.errors import UserError
from sequoia.losses.choice import Loss
from sequoia.models.objective import training_loss
from sequoia.models.sasrec import SasRec
from sequoia.readers.batches import rank_batches
from sequoia.readers.plan import plan_epoch
from sequoia.storage import locate
from sequoia.tables.snapshot_file import Snapshot
from sequoia.training.checkpoint import (
    Progress,
    best_weights,
    load_progress,
    load_tensors,
    save_checkpoint,
    set_optimizer,
    tensors_of,
)
from sequoia.training.checkpoint_folder import publish_checkpoints
from sequoia.training.settings import TrainingSettings
from sequoia.training.spec import TrainingSpec

SELECTION_METRIC = "ndcg@10"
# Before 2.4 torch refuses the fused optimizer on a processor; Databricks 15.4 LTS ML has 2.3.
FUSED = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 4)
Validate = Callable[[SasRec], dict[str, float]]
Report = Callable[[dict[str, Any]], None]


class Trainer:
    """Trains one model; every rank holds one and calls `run`."""

    def __init__(
        self, spec: TrainingSpec, model: SasRec, loss: Loss, group: Collective, *, vocabulary: str
    ) -> None:
        """Take up a training where its checkpoint is; vocabulary: a hash of its items.

        Raises UserError on every rank when the checkpoint is of another model.
        """
        self._spec = spec
        self._settings: TrainingSettings = spec.training
        self._snapshot: Snapshot = spec.snapshot
        self._model = model
        self._loss = loss
        self._group = group
        self._identity = {
            "kind": spec.kind,
            "num_rows": model.items.num_embeddings,
            "vocabulary": vocabulary,
            **spec.model,
        }
        self._optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=self._settings.learning_rate,
            weight_decay=self._settings.weight_decay,
            fused=FUSED,
        )
        self._progress = self._resume()
        self._gradients = GradientSum(model.parameters(), group)

    def run(self, validate: Validate, report: Report) -> Progress:
        """Train to the last epoch or until validation stalls; the model ends with the best weights."""
        progress = self._progress
        while not progress.finished:
            started = time.perf_counter()
            loss, targets = self._epoch(progress.epoch)
            trained = time.perf_counter() - started
            metrics = validate(self._model)
            self._note(progress, loss, metrics, seconds=trained, targets=targets)
            if self._group.is_main:
                report(progress.history[-1])
            self._checkpoint(progress)
        if self._group.is_main:
            self._model.load_state_dict(best_weights(self._spec.checkpoints))
        self._group.barrier()
        return progress

    def _resume(self) -> Progress:
        """Begin, or go on from a checkpoint: rank 0 reads it and tells the others, which may not see it."""
        found = from_main(self._found() if self._group.is_main else None, self._group)
        if "refused" in found:
            raise UserError(found["refused"])
        progress = Progress(**found["progress"])
        tensors = {"weights": dict(self._model.state_dict()), "optimizer": {}}
        if self._group.is_main and progress.epoch:
            tensors = load_tensors(self._spec.checkpoints)
        with torch.no_grad():
            self._model.load_state_dict(tensors_from_main(tensors["weights"], self._group))
        set_optimizer(self._optimizer, tensors_from_main(tensors["optimizer"], self._group))
        progress.finished = self._is_finished(progress)
        return progress

    def _found(self) -> dict[str, Any]:
        if not self._settings.resume:
            return {"progress": {}}
        try:
            progress = load_progress(self._spec.checkpoints, self._identity)
        except UserError as error:
            return {"refused": str(error)}
        return {"progress": vars(progress) if progress else {}}

    def _epoch(self, epoch: int) -> tuple[float, int]:
        plan = plan_epoch(
            [file.rows for file in self._snapshot.files],
            lanes=self._settings.lanes,
            batch_size=self._settings.batch_size,
            seed=self._spec.seed,
            epoch=epoch,
        )
        self._model.train()
        batches = rank_batches(
            plan, self._snapshot.files, ["items"], rank=self._group.rank, size=self._group.size
        )
        total = torch.zeros(2, dtype=torch.float64)
        for step, batch in enumerate(batches):
            rows = torch.from_numpy(batch["items"]).long() if batch else self._no_rows()
            total += self._step(rows, epoch, step, plan.steps)
        loss, targets = total.tolist()
        return loss / max(targets, 1.0), int(targets)

    def _step(self, rows: Tensor, epoch: int, step: int, steps: int) -> Tensor:
        """Take one step; return the loss summed over the targets of all ranks, and their number."""
        step_seed = hash((self._spec.seed, epoch, step)) & 0x7FFFFFFF
        torch.manual_seed(step_seed * self._group.size + self._group.rank)
        generator = torch.Generator().manual_seed(step_seed)
        loss, num_targets = training_loss(
            self._model, rows, self._loss, generator, partial(joined, group=self._group)
        )
        summed = torch.stack([loss.detach().double(), torch.tensor(num_targets, dtype=torch.float64)])
        wait = self._group.start_sum(summed)
        self._gradients.zero()
        loss.backward()  # type: ignore[no-untyped-call]
        wait()
        self._gradients.finish(1 / summed[1].clamp(min=1).float())
        for options in self._optimizer.param_groups:
            options["lr"] = learning_rate(self._settings, epoch * steps + step, self._settings.epochs * steps)
        self._optimizer.step()
        return summed

    def _no_rows(self) -> Tensor:
        return torch.zeros((0, 2), dtype=torch.long)

    def _note(
        self, progress: Progress, loss: float, metrics: dict[str, float], *, seconds: float, targets: int
    ) -> None:
        value = metrics[SELECTION_METRIC]
        if value > progress.best_value:
            progress.best_value, progress.best_epoch = value, progress.epoch
        progress.history.append(
            {"epoch": progress.epoch, "loss": loss, "valid": metrics, "seconds": seconds, "targets": targets}
        )
        progress.epoch += 1
        progress.finished = self._is_finished(progress)

    def _is_finished(self, progress: Progress) -> bool:
        stalled = progress.epoch - progress.best_epoch > self._settings.patience
        return stalled or progress.epoch >= self._settings.epochs

    def _checkpoint(self, progress: Progress) -> None:
        is_best = progress.best_epoch == progress.epoch - 1
        due = progress.finished or is_best or progress.epoch % self._settings.checkpoint_epochs == 0
        if due and self._group.is_main:
            save_checkpoint(
                self._spec.checkpoints,
                tensors_of(self._model, self._optimizer),
                progress,
                self._identity,
                is_best=is_best,
            )
            if self._spec.checkpoint_store is not None:
                publish_checkpoints(self._spec.checkpoints, locate(self._spec.checkpoint_store))


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """Return the rate of a step (from 0) of `steps`: linear warm-up times a half cosine to a fiftieth."""
    warmed = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    return settings.learning_rate * warmed * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)
