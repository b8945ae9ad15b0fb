"""One training process, started on every rank: `python -m sequoia.training.worker SPEC LAUNCHER`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

from sequoia.distributed.collective import Collective, connect, leave
from sequoia.distributed.device import choose_device
from sequoia.distributed.launch import send_note
from sequoia.distributed.values import add_up
from sequoia.evaluate.metrics import user_values
from sequoia.evaluate.ranking import rank_targets
from sequoia.losses.choice import FullLoss, choose_loss
from sequoia.models.sasrec import SasRec
from sequoia.models.sasrec_scorer import SasRecScorer
from sequoia.models.sasrec_settings import SasRecSettings
from sequoia.models.scorer import pad_left
from sequoia.models.trained_on import KEY
from sequoia.training.held_out_users import HeldOutUsers, read_held_out, read_items
from sequoia.training.learner import Learner
from sequoia.training.spec import TrainingSpec
from sequoia.training.trainer import Trainer

VALIDATION_BATCH = 256
VALIDATION_METRICS = ("hr@10", "ndcg@10", "mrr@10")


def train(spec: TrainingSpec, group: Collective) -> None:
    """Train the spec's model within a group and, on the main rank, write the model folder."""
    items = read_items(spec.folder)
    torch.manual_seed(spec.seed)
    device = choose_device(spec.training.device)
    model = SasRec(SasRecSettings.model_validate(spec.model), items.num_rows).to(device)
    users = read_held_out(spec.validation, items).part(group.rank, group.size)
    loss = choose_loss(spec.loss, torch.from_numpy(np.concatenate([[0, 0], items.events])).to(device))
    if group.is_main and isinstance(loss, FullLoss):
        print(f"    logits in {str(loss.dtype).removeprefix('torch.')}", flush=True)
    learner = Learner(model, loss, group, spec.training, spec.seed)
    trainer = Trainer(spec, learner, group, vocabulary=items.mark)
    progress = trainer.run(lambda: validation_metrics(model, users, group), send_note)
    if group.is_main:
        extra = {"history": progress.history, "best_epoch": progress.best_epoch}
        SasRecScorer(model).save(spec.folder, extra=extra | {KEY: spec.trained_on.to_json()})


def validation_metrics(model: SasRec, users: HeldOutUsers, group: Collective) -> dict[str, float]:
    """Rank all items for each rank's users; return the metrics over the users of all ranks."""
    scorer = SasRecScorer(model)
    sums = dict.fromkeys(("users", *VALIDATION_METRICS), 0.0)
    for start in range(0, len(users.targets), VALIDATION_BATCH):
        histories = users.histories[start : start + VALIDATION_BATCH]
        targets = users.targets[start : start + VALIDATION_BATCH]
        ranks, _ = rank_targets(
            scorer.scores(pad_left(histories, scorer.max_length)), targets, histories, k=1
        )
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
    group = connect(sys.argv[2], timeout_seconds=spec.training.timeout_seconds)
    try:
        train(spec, group)
    except BaseException:
        group.close()
        raise
    leave(group)


if __name__ == "__main__":
    main()
