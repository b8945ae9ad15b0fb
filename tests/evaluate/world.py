"""Thirty items in a ring and forty shoppers who walk along it: the right item is always the next one.

Item number n (from 0) has raw id i00..i29, item_index id n + 2 and vocabulary row n + 2. User u walks from
item u for 4 to 7 steps. Training sees all events but the last two; the time split holds nothing out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from pyspark.sql import DataFrame

from sequoia.modelling.trained import TrainedModel, write_trained
from sequoia.modelling.trained_on import KEY, TrainedOn
from sequoia.models.counting import Counting, CountingParameters
from sequoia.negatives.draw import Drawing
from sequoia.road.stage import Context
from sequoia.sequences.identity import current_sequences
from sequoia.tracking.connection import connect
from sequoia.tracking.runs import start_run

ITEMS = 30
USERS = 40
RAW = [f"i{number:02d}" for number in range(ITEMS)]
PARAMETERS = CountingParameters(window=1, backward=0.0, last=1, decay=1.0, popularity_power=0.0)


def walk(user: int) -> list[int]:
    return [(user + step) % ITEMS for step in range(4 + user % 4)]


def save_counting(
    folder: Path, *, step: int, raw: list[str] = RAW, first_id: int = 2, origin: TrainedOn | None = None
) -> Path:
    """Write a model that recommends the item `step` places further on the ring, then the most popular."""
    folder.mkdir(parents=True)
    rows = range(2, len(raw) + 2)
    events = [100 - place for place in range(len(raw))]
    index = {
        "row": pa.array(rows, pa.int32()),
        "item_id": pa.array(range(first_id, first_id + len(raw)), pa.int64()),
        "item": raw,
        "events": pa.array(events, pa.int64()),
    }
    pq.write_table(pa.table(index), folder / "items.parquet")
    following = [(place + step) % len(raw) + 2 for place in range(len(raw))]
    shape = (len(raw) + 2, len(raw) + 2)
    votes = sp.csr_array((np.ones(len(raw)), (np.array(rows), np.array(following))), shape=shape)
    extra = {KEY: origin.to_json()} if origin else {}
    Counting(votes, np.array([0, 0, *events]), PARAMETERS).save(folder, extra=extra)
    return folder


def drawing_of(folder: Path, seed: int = 7) -> Drawing:
    """Return how candidates are drawn from the items of a model folder."""
    files = (str(folder / "items.parquet"),)
    return Drawing(files=files, candidates=3, alpha=0.5, seed=seed, protocol="leave-one-out")


def day(number: int) -> TrainedOn:
    """Return sequences whose data go until that day of 1970."""
    newest = number * 86_400_000
    return TrainedOn(
        table="by hand",
        version=number,
        events=number,
        newest=newest,
        newest_training=newest,
        first_target=newest,
        split={"split": "leave-one-out"},
    )


def train(context: Context, run_id: str, *, until: int | None = None, **steps: int) -> None:
    """Stand in for the train stage: a counting model per name, with its step, folder and MLflow run.

    until: the day of 1970 of the newest event; without it the models are of today's sequences, if there are
    any.
    """
    models = {}
    today = current_sequences(context) if context.tables.exists("sequences") else None
    for name, step in steps.items():
        folder = context.config.workspace_path / "models" / run_id / name
        save_counting(folder, step=step, origin=day(until) if until else today)
        run = start_run(connect(context.config), name)
        run.finish()
        models[name] = TrainedModel(folder=folder, mlflow_run_id=run.id, fingerprint=f"{name}-{step}")
    write_trained(context.config.workspace_path, run_id, models)


def write_tables(context: Context, *, spans: tuple[int, int] = (0, 0)) -> None:
    """Write sequences, vocabulary and negatives of the ring.

    spans: events that the time split holds out of each user for validation and test.
    """
    context.tables.overwrite("sequences", _sequences(context, *spans))
    vocabulary = [(number + 2, number + 2, RAW[number], 4, 1, 1, 1000, 0.0, 0) for number in range(ITEMS)]
    context.tables.overwrite("vocabulary", _frame(context, "vocabulary", vocabulary))
    context.tables.overwrite("negatives", _negatives(context))


def _frame(context: Context, table: str, rows: list[tuple[object, ...]]) -> DataFrame:
    return context.spark.createDataFrame(rows, context.tables.schema(table))


def _sequences(context: Context, valid: int, test: int) -> DataFrame:
    rows: list[tuple[object, ...]] = []
    for user in range(USERS):
        items = [number + 2 for number in walk(user)]
        n = len(items)
        rows.append((user + 2, items, list(range(1, n + 1)), [0.0] * n, n, n - 2, n - test - valid, n - test))
    return _frame(context, "sequences", rows)


def _negatives(context: Context) -> DataFrame:
    rows: list[tuple[object, ...]] = []
    for user in range(USERS):
        items = walk(user)
        for split, target in (("valid", items[-2]), ("test", items[-1])):
            # The three items after the target for uniform; for popularity the target's neighbour only.
            after = [(target + place) % ITEMS + 2 for place in (1, 2, 3)]
            rows.append((user + 2, split, "uniform", context.config.seed, target + 2, after))
            if user:  # user 0's are not stored: evaluate draws them
                rows.append((user + 2, split, "popularity", context.config.seed, target + 2, after[:1]))
    return _frame(context, "negatives", rows)
