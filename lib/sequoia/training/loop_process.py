"""A process of the training loop, on every rank: `python -m sequoia.training.loop_process SPEC LAUNCHER`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sequoia.distributed.collective import Collective, connect, leave
from sequoia.distributed.device import choose_device
from sequoia.distributed.launch import COLLECTIVES_LAST, say, send_note
from sequoia.distributed.pulse import Pulse, Watched
from sequoia.distributed.values import add_up
from sequoia.evaluate.metrics import user_values
from sequoia.evaluate.ranking import rank_targets
from sequoia.losses.choice import FullLoss, choose_loss
from sequoia.modelling.interface import Model, pad_left
from sequoia.modelling.registry import find_model
from sequoia.modelling.trained_on import KEY
from sequoia.neural.model import NeuralModel
from sequoia.training.held_out_users import HeldOutUsers, read_held_out, read_items
from sequoia.training.learner import Learner
from sequoia.training.spec import TrainingSpec
from sequoia.training.trainer import Trainer
from sequoia.training.warm_start import start_warm

VALIDATION_BATCH = 256
VALIDATION_METRICS = ("hr@10", "ndcg@10", "mrr@10")


def train(spec: TrainingSpec, group: Collective, progress: Callable[[], None] = lambda: None) -> None:
    """Train the spec's model within a group and, on the main rank, write the model folder.

    progress: called when something was done that no verb of the group shows.
    """
    items = read_items(spec.folder)
    torch.manual_seed(spec.seed)
    device = choose_device(spec.training.device)
    kind: type[NeuralModel] = find_model(spec.kind)  # type: ignore[assignment]
    model = kind.make(spec.model, items.num_rows).to(device)
    if spec.warm_start is not None:
        taken = start_warm(model, spec.kind, spec.warm_start, spec.folder, group)
        if group.is_main:
            say(f"    {spec.kind} starts warm: {taken}")
    users = read_held_out(spec.validation, items).part(group.rank, group.size)
    loss = choose_loss(spec.loss, torch.from_numpy(np.concatenate([[0, 0], items.events])).to(device))
    if group.is_main and isinstance(loss, FullLoss):
        say(f"    logits in {str(loss.dtype).removeprefix('torch.')}")
    learner = Learner(model, loss, group, spec.training, spec.seed)
    trainer = Trainer(spec, learner, group, vocabulary=items.mark)
    ended = trainer.run(lambda: validation_metrics(model, users, group, progress), send_note)
    if group.is_main:
        extra = {"history": ended.history, "best_epoch": ended.best_epoch}
        model.save(spec.folder, extra=extra | {KEY: spec.trained_on.to_json()})


def validation_metrics(
    model: Model, users: HeldOutUsers, group: Collective, progress: Callable[[], None]
) -> dict[str, float]:
    """Rank all items for each rank's users; return the metrics over the users of all ranks."""
    sums = dict.fromkeys(("users", *VALIDATION_METRICS), 0.0)
    for start in range(0, len(users.targets), VALIDATION_BATCH):
        histories = users.histories[start : start + VALIDATION_BATCH]
        targets = users.targets[start : start + VALIDATION_BATCH]
        ranks, _ = rank_targets(model.scores(pad_left(histories, model.max_length)), targets, histories, k=1)
        progress()
        sums["users"] += len(targets)
        for name in VALIDATION_METRICS:
            sums[name] += float(user_values(name, ranks).sum())
    total = add_up(sums, group)
    return {name: total[name] / max(total["users"], 1.0) for name in VALIDATION_METRICS}


def main() -> None:
    """Run one process."""
    warnings.simplefilter("ignore", FutureWarning)
    spec = TrainingSpec.read(Path(sys.argv[1]))
    torch.set_num_threads(spec.training.threads)
    timeout = spec.training.timeout_seconds
    joined = connect(sys.argv[2], timeout_seconds=COLLECTIVES_LAST * timeout)
    pulse = Pulse(joined.rank, timeout)
    group = Watched(joined, pulse)
    try:
        train(spec, group, pulse.progress)
    except BaseException:
        group.close()
        raise
    leave(group)


if __name__ == "__main__":
    main()
