"""Fixtures of the training tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sequoia.config import load_config
from sequoia.modelling.trained_on import TrainedOn
from sequoia.tables.snapshot_file import DataFile, Snapshot
from sequoia.training.spec import TrainingSpec
from tests.training.small_job import FAST, HOUR, NUM_ITEMS, staircase, write_training_files

STARS = pa.list_(pa.float32())


@pytest.fixture
def make_spec(tmp_path: Path) -> Callable[..., TrainingSpec]:
    """Return a function that prepares a training in its own folder from overrides."""

    def make(name: str, *overrides: str, kind: str = "sasrec") -> TrainingSpec:
        config = load_config(overrides=[f"workspace={tmp_path / name}", *FAST, *overrides])
        inputs = tmp_path / name / "inputs"
        inputs.mkdir(parents=True)
        if not (tmp_path / "table").exists():
            write_training_files(tmp_path / "table")
        snapshot = Snapshot(
            table="training",
            version=3,
            files=tuple(
                DataFile(path=str(path), rows=pq.read_metadata(path).num_rows)
                for path in sorted((tmp_path / "table").glob("*/part.parquet"))
            ),
        )
        ids = np.arange(2, NUM_ITEMS + 2)
        items = {"row": pa.array(ids, pa.int32()), "item_id": ids * 10, "item": [f"item {i}" for i in ids]}
        pq.write_table(pa.table({**items, "events": ids, "category": ids % 3 + 2}), inputs / "items.parquet")
        histories = [[row * 10 for row in staircase(user, 4)] for user in range(20)]
        targets = [staircase(user, 5)[-1] * 10 for user in range(20)]
        users = {
            "history": histories,
            "target": targets,
            "times": [[item * HOUR for item in history] for history in histories],
            "ratings": pa.array([[item % 6 for item in history] for history in histories], STARS),
        }
        pq.write_table(pa.table(users), inputs / "validation.parquet")
        spec = TrainingSpec(
            kind=kind,
            model=getattr(config.models, kind).model_dump(),
            training=config.training,
            loss=config.loss,
            seed=config.seed,
            snapshot=snapshot,
            inputs=inputs,
            folder=tmp_path / name / "model",
            checkpoints=tmp_path / name / "checkpoints",
            hide_seen=True,
            features=config.features,
            trained_on=TrainedOn(
                table="by hand", version=1, events=9, newest=5, newest_training=4, first_target=5, split={}
            ),
        )
        spec.write()
        return spec

    return make
