"""The training loop: equal steps on every rank, validation after each epoch, checkpoints, early stop."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sequoia.distributed.collective import Collective
from sequoia.distributed.values import from_main, tensors_from_main
from sequoia.errors import UserError
from sequoia.readers.ahead import ahead
from sequoia.readers.plan import EpochPlan, plan_epoch
from sequoia.readers.rank_rows import Position, Share, rank_rows
from sequoia.readers.row_groups import RowGroup, choose_reader, find_row_groups, mark_of, told
from sequoia.storage import remove
from sequoia.training.checkpoint import (
    Progress,
    best_weights,
    load_progress,
    load_tensors,
    save_checkpoint,
)
from sequoia.training.checkpoint_folder import open_checkpoints, publish_checkpoints
from sequoia.training.effort import Effort
from sequoia.training.examples import Step, make_step
from sequoia.training.learner import Learner
from sequoia.training.meter import Meter, step_note
from sequoia.training.spec import TrainingSpec

SELECTION_METRIC = "ndcg@10"
STEPS_AHEAD = 2
Validate = Callable[[], dict[str, float]]
Report = Callable[[dict[str, Any]], None]


class Trainer:
    """Trains one model; every rank holds one and calls `run`."""

    def __init__(self, spec: TrainingSpec, learner: Learner, group: Collective, *, vocabulary: str) -> None:
        """Take up a training where its checkpoint is; vocabulary: a hash of its items.

        Raises UserError on every rank when the checkpoint is of another model.
        """
        self._spec, self._settings = spec, spec.training
        self._learner, self._model = learner, learner.model
        self._group = group
        self._identity = {
            "kind": spec.kind,
            "num_rows": self._model.table.num_rows,
            "vocabulary": vocabulary,
            "item_optimizer": learner.item_rule,
            "features": spec.features.model_dump(),
            **spec.model,
        }
        found = told(find_row_groups(spec.snapshot.files)) if group.is_main else None
        self._folder: Path | None = None  # of checkpoints, on the main rank
        self._groups = [RowGroup(*values) for values in from_main(found, group)]
        self._progress = self._resume()

    def run(self, validate: Validate, report: Report) -> Progress:
        """Train to the last epoch or until validation stalls; the model ends with the best weights.

        report: takes notes, of rank 0: of each epoch, and every few seconds of how one goes.
        """
        progress = self._progress
        if not progress.finished:
            with closing(ahead(self._steps(), STEPS_AHEAD)) as steps:
                self._train(steps, validate, report if self._group.is_main else _ignore)
        if self._folder is not None:
            self._model.load_state_dict(best_weights(self._folder))
        self._group.barrier()
        return progress

    def _train(self, steps: Iterator[Step], validate: Validate, report: Report) -> None:
        progress, meter = self._progress, Meter(self._progress, self._learner.device)
        effort: Effort | None = None
        for step in meter.timed(steps):
            if effort is None and self._group.is_main and not progress.history:
                effort = Effort.of(self._learner, step)
                if effort is not None:
                    meter.restart()
            meter.add(self._learner.learn(step))
            progress.step = step.number + 1
            if progress.step == step.of:
                meter.settle()
                self._end_epoch(validate())
                report(progress.history[-1])
                if effort is not None and len(progress.history) == 1:
                    ended = progress.history[0]
                    report(effort.note(ended["targets"], ended["seconds"], self._group.size))
                self._checkpoint(at_end=True)
                meter.next_epoch()
                if progress.finished:
                    return
            elif self._is_due(progress.step):
                meter.settle()
                self._checkpoint()
                meter.restart()
            elif self._group.is_main and meter.is_due:
                report(step_note(step, self._learner.rate(step), meter.settle()))

    def _steps(self) -> Generator[Step, None, None]:
        share = Share(
            plan_of=self._plan,
            rank=self._group.rank,
            size=self._group.size,
            start=Position(epoch=self._progress.epoch, step=self._progress.step),
            epochs=self._settings.epochs,
        )
        read = choose_reader(self._settings.reader)
        columns = ["items", *self._spec.features.event_columns]
        with closing(rank_rows(share, self._groups, columns, read)) as steps:
            for rows in steps:
                yield make_step(
                    rows,
                    max_length=self._model.max_length,
                    budget=self._settings.token_budget,
                    seed=self._spec.seed,
                )

    def _plan(self, epoch: int) -> EpochPlan:
        return plan_epoch(
            [group.rows for group in self._groups],
            lanes=self._settings.lanes,
            batch_size=self._settings.batch_size,
            seed=self._spec.seed,
            epoch=epoch,
        )

    def _resume(self) -> Progress:
        """Begin, or go on from a checkpoint: rank 0 reads it and tells the others, which may not see it."""
        found = from_main(self._found() if self._group.is_main else None, self._group)
        if "refused" in found:
            raise UserError(found["refused"])
        progress = Progress(**found["progress"])
        begun, plan = progress.has_begun, self._plan(0)
        numbers = [plan.total, plan.batch_size, plan.lanes, plan.seed, mark_of(self._groups)]
        if progress.step and progress.plan != numbers:
            progress.restart_epoch()  # other steps: what was learned in some of them stays learned
        progress.plan = numbers
        tensors = self._learner.tensors()
        if not begun:  # the optimizers' state is nothing, or zero
            tensors |= {"optimizer": {}, "items": {}}
        elif self._folder is not None:
            tensors = load_tensors(self._folder)
        parts = {name: tensors_from_main(part, self._group) for name, part in tensors.items()}
        self._learner.load(parts)
        progress.finished = self._is_finished(progress)
        return progress

    def _found(self) -> dict[str, Any]:
        if not self._settings.resume:
            remove(self._spec.checkpoints)  # those of an earlier training
        adopted = False
        try:
            self._folder, adopted = open_checkpoints(self._spec.checkpoints, self._settings.resume_from)
            progress = load_progress(self._folder, self._identity)
        except UserError as error:
            if (
                adopted and self._folder is not None
            ):  # one of another model: without it the next run may start afresh
                remove(self._folder)
            return {"refused": str(error)}
        return {"progress": vars(progress) if progress else {}}

    def _end_epoch(self, metrics: dict[str, float]) -> None:
        progress, value = self._progress, metrics[SELECTION_METRIC]
        if value > progress.best_value:
            progress.best_value, progress.best_epoch = value, progress.epoch
        note = {"epoch": progress.epoch, "loss": progress.loss / max(progress.targets, 1), "valid": metrics}
        times = {"seconds": progress.seconds, "waited": progress.waited}
        progress.history.append({**note, **times, "targets": progress.targets})
        progress.next_epoch()
        progress.finished = self._is_finished(progress)

    def _is_finished(self, progress: Progress) -> bool:
        stalled = progress.epoch - progress.best_epoch > self._settings.patience
        return stalled or progress.epoch >= self._settings.epochs

    def _is_due(self, step: int) -> bool:
        every = self._settings.checkpoint_steps
        return every is not None and step % every == 0

    def _checkpoint(self, *, at_end: bool = False) -> None:
        """Write a checkpoint on rank 0; at the end of an epoch only where one is due or it was the best."""
        progress = self._progress
        is_best = at_end and progress.best_epoch == progress.epoch - 1
        skip = at_end and progress.epoch % self._settings.checkpoint_epochs and not is_best
        if self._folder is not None and (progress.finished or not skip):
            tensors = self._learner.tensors()
            save_checkpoint(self._folder, tensors, progress, self._identity, is_best=is_best)
            publish_checkpoints(self._folder, self._spec.checkpoints)


def _ignore(note: dict[str, Any]) -> None:
    """Only rank 0 tells."""
