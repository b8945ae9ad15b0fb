"""A process of the training loop, on every rank: `python -m sequoia.training.loop_process SPEC LAUNCHER`.

SPEC is a path or URI: a process may be on another machine than the one that trains.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial

import torch

from sequoia.distributed.collective import Collective, connect, end_process
from sequoia.distributed.device import choose_device
from sequoia.distributed.launch import COLLECTIVES_LAST, say, send_note
from sequoia.distributed.pulse import Pulse, Watched
from sequoia.distributed.values import add_up
from sequoia.errors import DivergedError
from sequoia.evaluate.metrics import user_values
from sequoia.evaluate.ranking import full_ranks, score_problems
from sequoia.local_files import local_copy
from sequoia.losses.choice import FullLoss, choose_loss
from sequoia.modelling.item_index import ItemIndex
from sequoia.modelling.recommender import Recommender
from sequoia.modelling.registry import find_model
from sequoia.neural.model import NeuralModel
from sequoia.storage import locate
from sequoia.training.learner import Learner
from sequoia.training.spec import TrainingSpec
from sequoia.training.trainer import Trainer
from sequoia.training.validation_users import ValidationUsers, mark_of_items, read_validation
from sequoia.training.warm_start import start_warm

VALIDATION_METRICS = ("hr@10", "ndcg@10", "mrr@10")


def train(
    spec: TrainingSpec,
    group: Collective,
    device: torch.device,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Train the spec's model within a group and, on the main rank, write the model folder.

    progress: called when something was done that no verb of the group shows.
    """
    inputs = local_copy(spec.inputs)
    index = ItemIndex.read(inputs)
    torch.manual_seed(spec.seed)
    kind: type[NeuralModel] = find_model(spec.kind)  # type: ignore[assignment]
    model = kind.make(spec.model, index.num_rows)
    model.add_features(spec.features, index)
    model.to(device)
    if spec.warm_start is not None:
        taken = start_warm(model, spec.kind, spec.warm_start, index, group)
        if group.is_main:
            say(f"    {spec.kind} starts warm: {taken}")
    users = read_validation(inputs, index, spec.features.event_columns).part(group.rank, group.size)
    loss = choose_loss(spec.loss, torch.from_numpy(index.events).to(device))
    if group.is_main and isinstance(loss, FullLoss):
        say(f"    logits in {str(loss.dtype).removeprefix('torch.')}")
    learner = Learner(model, loss, group, spec.training, spec.seed)
    trainer = Trainer(spec, learner, group, vocabulary=mark_of_items(index))
    validate = partial(
        validation_metrics, Recommender(model, index), users, group, progress, hide_seen=spec.hide_seen
    )
    ended = trainer.run(validate, send_note)
    if group.is_main:
        spec.save(model, history=ended.history, best_epoch=ended.best_epoch)


def validation_metrics(
    recommender: Recommender,
    users: ValidationUsers,
    group: Collective,
    progress: Callable[[], None],
    *,
    hide_seen: bool,
) -> dict[str, float]:
    """Rank all items for each rank's users; return the metrics over the users of all ranks."""
    ranked = recommender.rank(users.histories, users.targets[:, None], 0, hide=hide_seen, progress=progress)
    problems = score_problems(ranked, len(recommender.index))
    ranks = full_ranks(ranked, len(recommender.index))
    sums = {"users": float(len(ranks)), "diverged": float(problems.count("nan"))}
    total = add_up(sums | {name: user_values(name, ranks).sum() for name in VALIDATION_METRICS}, group)
    if total["diverged"]:
        raise DivergedError(
            f"the model scores NaN for {total['diverged']:.0f} users, so it diverged: "
            "lower training.learning_rate"
        )
    return {name: total[name] / max(total["users"], 1.0) for name in VALIDATION_METRICS}


def work(arguments: list[str]) -> None:
    """Join the group, train, and leave; arguments: SPEC, LAUNCHER."""
    warnings.simplefilter("ignore", FutureWarning)
    spec = TrainingSpec.read(locate(arguments[0]))
    torch.set_num_threads(spec.training.threads)
    timeout = spec.training.timeout_seconds
    device = choose_device(spec.training.device)
    joined = connect(arguments[1], device=device, timeout_seconds=COLLECTIVES_LAST * timeout)
    pulse = Pulse(joined.rank, timeout)
    group = Watched(joined, pulse)
    try:
        train(spec, group, device, pulse.progress)
    finally:
        group.close()


if __name__ == "__main__":
    work(sys.argv[1:])
    end_process()
