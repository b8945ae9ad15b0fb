"""Real trainings in real processes: results depend neither on how many they are nor on interruptions."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from sequoia.distributed.child_processes import environment, prefix
from sequoia.distributed.launch import Order, launch
from sequoia.errors import UserError
from sequoia.modelling.histories import Histories
from sequoia.modelling.recommender import Recommender
from sequoia.modelling.registry import load_model
from sequoia.training.checkpoint_folder import adopt_checkpoint
from sequoia.training.effort import COUNTS
from sequoia.training.spec import TrainingSpec
from tests.training.small_job import staircase

MakeSpec = Callable[..., TrainingSpec]


def order(spec: TrainingSpec, launcher: str, processes: int) -> Order:
    return Order(
        module="sequoia.training.loop_process",
        arguments=[str(spec.place), launcher],
        launcher=launcher,
        processes=processes,
        threads=1,
        timeout_seconds=60,
    )


def train(
    spec: TrainingSpec,
    launcher: str = "single",
    processes: int = 1,
    on_note: Callable[[dict[str, Any]], None] = lambda note: None,
) -> list[dict[str, Any]]:
    """Train in processes of their own; return the history."""
    launch(order(spec, launcher, processes), on_note)
    return history_of(spec)


def history_of(spec: TrainingSpec) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = json.loads((spec.folder / "model.json").read_text())["history"]
    return history


def losses(history: list[dict[str, Any]]) -> list[float]:
    return [note["loss"] for note in history]


@pytest.mark.parametrize(
    ("launcher", "ranks", "loss", "items"),
    [
        ("horovod", 3, "full", "auto"),
        ("torchrun", 3, "sampled", "adam"),
        ("horovod", 2, "bpr-max", "adagrad"),
    ],
)
def test_several_ranks_learn_what_one_does_over_200_steps(
    make_spec: MakeSpec, launcher: str, ranks: int, loss: str, items: str
) -> None:
    negatives = ("loss.popular=5", "loss.uniform=2", "loss.in_batch=3")
    moved = (f"training.item_optimizer={items}", "training.clip_norm=0.5")
    long = ("models.sasrec.dropout=0.3", "training.epochs=40", "training.patience=40")
    features = ("features.items=[category]", "features.events=[gap, rating]")
    overrides = (f"loss.kind={loss}", "loss.logits_type=float32", *negatives, *moved, *long, *features)
    one = train(make_spec("one", *overrides))
    several = train(make_spec("several", *overrides), launcher, ranks)
    assert len(one) == 40
    assert losses(several) == pytest.approx(losses(one), abs=1e-4)
    assert [note["targets"] for note in several] == [note["targets"] for note in one]
    for ours, theirs in zip(several, one, strict=True):
        assert ours["valid"] == pytest.approx(theirs["valid"], abs=1e-4)


def test_two_ranks_learn_what_one_does_with_the_logits_that_the_machine_is_good_at(
    make_spec: MakeSpec,
) -> None:
    one = train(make_spec("one"))
    spec = make_spec("two")
    launch(replace(order(spec, "horovod", 2), hosts="localhost:2"))
    two = history_of(spec)
    assert losses(two) == pytest.approx(losses(one), abs=1e-4)
    for ours, theirs in zip(two, one, strict=True):
        assert ours["valid"] == pytest.approx(theirs["valid"], abs=1e-4)


def test_neither_the_reader_nor_what_is_encoded_at_once_changes_what_is_learned(make_spec: MakeSpec) -> None:
    overrides = ("models.sasrec.dropout=0.3", "loss.kind=sampled", "loss.in_batch=5")
    whole = train(make_spec("whole", *overrides, "training.reader=petastorm"))
    assert losses(train(make_spec("bare", *overrides, "training.reader=pyarrow"))) == losses(whole)
    parts = train(make_spec("parts", *overrides, "training.token_budget=9"), "horovod", 2)
    assert losses(parts) == pytest.approx(losses(whole), abs=1e-4)


def test_a_model_of_bfloat16_products_is_learned(make_spec: MakeSpec) -> None:
    fast = ("training.epochs=25", "training.learning_rate=0.01")
    lower = train(make_spec("lower", "training.precision=bfloat16", *fast))
    exact = train(make_spec("exact", "training.precision=float32", *fast))
    assert losses(lower) != losses(exact)
    assert lower[-1]["valid"]["ndcg@10"] > 0.9


def test_every_target_is_trained_on_once_per_epoch(make_spec: MakeSpec) -> None:
    history = train(make_spec("counted"))
    expected = sum(2 + user % 5 for number in range(4) for user in range(15 + 3 * number))
    assert [note["targets"] for note in history] == [expected] * 3


def kill_at(spec: TrainingSpec, launcher: str, processes: int, checkpoint: str) -> None:
    """Start a training and kill all of its processes when it has come to a checkpoint."""
    assert not (spec.checkpoints / checkpoint).exists(), "it would be killed before it has begun"
    wanted = order(spec, launcher, processes)
    process = subprocess.Popen(
        [*prefix(wanted), "-m", wanted.module, *wanted.arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **environment(wanted)},
    )
    with process:
        while not (spec.checkpoints / checkpoint).exists():
            assert process.poll() is None, "the training ended before it came to the checkpoint"
            time.sleep(0.001)
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.kill()


@pytest.mark.parametrize(
    ("launcher", "processes", "loss"),
    [("single", 1, "full"), ("horovod", 2, "sampled"), ("torchrun", 2, "full")],
)
def test_a_killed_training_goes_on_as_if_nothing_had_happened(
    make_spec: MakeSpec, launcher: str, processes: int, loss: str
) -> None:
    often = ("training.epochs=4", "training.checkpoint_steps=2")
    overrides = ("models.sasrec.dropout=0.2", f"loss.kind={loss}", *often)
    whole, killed = make_spec("whole", *overrides), make_spec("killed", *overrides)
    uninterrupted = train(whole, launcher, processes)
    kill_at(killed, launcher, processes, "epoch-00001-step-00000002")
    assert not (killed.folder / "model.json").exists()
    resumed = train(killed, launcher, processes)
    assert losses(resumed) == losses(uninterrupted)
    first, second = (load_file(spec.folder / "weights.safetensors") for spec in (whole, killed))
    assert all((first[name] == second[name]).all() for name in first)


def test_a_checkpoint_goes_on_under_another_launcher(make_spec: MakeSpec) -> None:
    overrides = ("models.sasrec.dropout=0.2", "training.epochs=4", "training.checkpoint_steps=3")
    one = make_spec("one", *overrides)
    train(one)
    moved = make_spec("moved", *overrides)
    kill_at(moved, "torchrun", 2, "epoch-00001-step-00000003")
    assert losses(train(moved, "horovod", 3)) == pytest.approx(losses(history_of(one)), abs=1e-4)


def test_moving_only_used_items_is_refused_where_all_are_used(make_spec: MakeSpec) -> None:
    with pytest.raises(UserError, match="item_optimizer = adam moves the rows that were used"):
        train(make_spec("all", "training.item_optimizer=adam"))


def test_another_model_is_trained_by_the_same_loop(make_spec: MakeSpec) -> None:
    small = ("models.gru4rec.width=16", "models.gru4rec.max_length=6", "training.epochs=20")
    spec = make_spec("gru", "training.learning_rate=0.02", *small, kind="gru4rec")
    history = train(spec, "torchrun", 2)
    assert history[-1]["valid"]["ndcg@10"] > 0.9
    assert load_model(spec.folder).num_rows == 14


def test_the_two_newest_checkpoints_stay(make_spec: MakeSpec) -> None:
    spec = make_spec("kept", "training.epochs=3")
    train(spec)
    kept = [f"epoch-{epoch:05d}-step-00000000" for epoch in (2, 3)]
    assert sorted(path.name for path in spec.checkpoints.iterdir()) == [*kept, "latest"]
    assert (spec.checkpoints / "latest").read_text() == kept[-1]


def test_a_training_without_resume_forgets_the_checkpoints_of_the_one_before(make_spec: MakeSpec) -> None:
    long = make_spec("long", "training.epochs=5")
    train(long)
    again = make_spec("again", "training.epochs=2", "training.resume=false")
    TrainingSpec(**{**again.__dict__, "checkpoints": long.checkpoints}).write()
    assert len(train(again)) == 2
    assert (long.checkpoints / "latest").read_text() == "epoch-00002-step-00000000"
    assert len(list(long.checkpoints.iterdir())) == 3


@pytest.mark.parametrize("checkpoint", ["epoch-00000-step-00000003", "epoch-00001-step-00000003"])
def test_a_checkpoint_within_an_epoch_of_other_steps_begins_the_epoch_anew(
    make_spec: MakeSpec, checkpoint: str
) -> None:
    overrides = ("training.epochs=3", "training.checkpoint_steps=3")
    killed = make_spec("killed", *overrides)
    kill_at(killed, "single", 1, checkpoint)
    other = make_spec("other", *overrides, "training.batch_size=40")
    TrainingSpec(**{**other.__dict__, "checkpoints": killed.checkpoints}).write()
    history = train(other)
    assert [note["epoch"] for note in history] == [0, 1, 2]
    assert history[1]["targets"] == history[0]["targets"]


def test_a_checkpoint_of_another_optimizer_of_items_is_refused(make_spec: MakeSpec) -> None:
    first = make_spec("first", "training.epochs=1")
    train(first)
    other = make_spec("other", "training.epochs=2", "loss.kind=sampled")
    TrainingSpec(**{**other.__dict__, "checkpoints": first.checkpoints}).write()
    for launcher in ("horovod", "torchrun"):
        with pytest.raises(UserError, match="its item_optimizer is dense, this run's is adam"):
            train(other, launcher, 2)


def test_a_checkpoint_of_other_items_is_refused_on_every_rank(make_spec: MakeSpec) -> None:
    first = make_spec("first", "training.epochs=1")
    train(first)
    other = make_spec("other", "training.epochs=1")
    items = pq.read_table(other.inputs / "items.parquet")
    names = pa.array([f"another {place}" for place in range(len(items))])
    pq.write_table(items.set_column(2, "item", names), other.inputs / "items.parquet")
    TrainingSpec(**{**other.__dict__, "checkpoints": first.checkpoints}).write()
    with pytest.raises(UserError, match=r"of another model: its vocabulary is [0-9a-f]{16}, this run's is"):
        train(other, "horovod", 2)


def test_a_checkpoint_of_another_model_is_refused(make_spec: MakeSpec) -> None:
    first = make_spec("first", "training.epochs=1")
    train(first)
    other = make_spec("other", "training.epochs=1", "models.sasrec.width=8")
    TrainingSpec(**{**other.__dict__, "checkpoints": first.checkpoints}).write()
    with pytest.raises(UserError, match="of another model: its width is 16, this run's is 8"):
        train(other)


def test_the_staircase_is_learned(make_spec: MakeSpec) -> None:
    spec = make_spec("learned", "training.epochs=25", "training.learning_rate=0.01")
    train(spec)
    histories = Histories.of([staircase(first, 4) for first in range(12)])
    targets = np.array([staircase(first, 5)[-1] for first in range(12)])
    found = Recommender.read(spec.folder).rank(histories, targets[:, None], k=1)
    assert (found.ahead_B + found.level_B).tolist() == [0] * 12
    assert found.best.rows_BK[:, 0].tolist() == targets.tolist()


def test_every_epoch_is_told_to_the_launching_process(make_spec: MakeSpec) -> None:
    notes: list[dict[str, Any]] = []
    history = train(make_spec("told", "training.epochs=2"), "horovod", 2, notes.append)
    assert [note for note in notes if "valid" in note] == history
    costs = [note for note in notes if "utilisation" in note]
    assert len(costs) == int(COUNTS)
    assert all(0 < cost["utilisation"] < 1 for cost in costs)


def test_a_half_written_checkpoint_is_ignored(make_spec: MakeSpec) -> None:
    spec = make_spec("torn", "training.epochs=2")
    train(spec)
    (spec.checkpoints / ".epoch-00009.0.partial").mkdir()
    (Path(spec.checkpoints) / ".epoch-00009.0.partial" / "state.json").write_text("{")
    assert len(train(spec)) == 2


def test_a_folder_without_a_checkpoint_cannot_be_adopted(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no checkpoint: name a folder below <workspace>"):
        adopt_checkpoint(tmp_path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_adopted_checkpoint_is_gone_on_from(make_spec: MakeSpec) -> None:
    first = make_spec("first", "training.epochs=2")
    train(first)
    longer = make_spec("longer", "training.epochs=3")
    adopt_checkpoint(first.checkpoints, longer.checkpoints)
    assert losses(train(longer))[:2] == losses(train(first))
