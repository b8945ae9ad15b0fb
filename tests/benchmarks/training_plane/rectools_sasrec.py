"""SASRec by RecTools: `<python of the peers> rectools_sasrec.py SEQUENCES SECONDS SCRATCH`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from shoppers import (
    BATCH,
    BLOCKS,
    DROPOUT,
    LENGTH,
    RATE,
    WIDTH,
    Epochs,
    K,
    num_positions,
    read,
    say,
    training,
)


def main() -> None:
    """Train for so many seconds, then rank."""
    users, seconds = read(Path(sys.argv[1])), float(sys.argv[2])
    epochs = Epochs(num_positions(users), seconds)

    class Tell(Callback):  # type: ignore[misc]
        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            epochs.end()

    def trainer(**_: Any) -> Trainer:
        return Trainer(
            max_time=timedelta(seconds=seconds), max_epochs=-1, accelerator="cpu", callbacks=[Tell()],
            logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            default_root_dir=sys.argv[3],
        )  # fmt: skip

    torch.manual_seed(0)
    model = SASRecModel(
        n_blocks=BLOCKS, n_heads=2, n_factors=WIDTH, dropout_rate=DROPOUT, session_max_len=LENGTH,
        loss="softmax", lr=RATE, batch_size=BATCH, get_trainer_func=trainer,
    )  # fmt: skip
    train = interactions(training(users))
    say(step="prepared", seconds=epochs.elapsed)
    model.fit(Dataset.construct(train))
    took = epochs.elapsed
    say(ndcg=ndcg(model, users), seconds=took)


def interactions(histories: list[list[int]]) -> pd.DataFrame:
    """Return one row for each item of each user; the day is its place."""
    lengths = [len(items) for items in histories]
    place = np.concatenate([np.arange(length) for length in lengths])
    return pd.DataFrame(
        {
            Columns.User: np.repeat(np.arange(len(histories)), lengths),
            Columns.Item: np.concatenate(histories),
            Columns.Weight: 1.0,
            Columns.Datetime: pd.Timestamp("2020-01-01") + pd.to_timedelta(place, unit="D"),
        }
    )


def ndcg(model: SASRecModel, users: list[list[int]]) -> float:
    """Return the test's NDCG@10 from its own lists, which leave out what was seen."""
    seen = Dataset.construct(interactions([items[:-1] for items in users]))
    lists = model.recommend(np.arange(len(users)), seen, K, filter_viewed=True)
    targets = np.array([items[-1] for items in users])
    hits = lists[lists[Columns.Item].to_numpy() == targets[lists[Columns.User].to_numpy()]]
    return float((1 / np.log2(hits[Columns.Rank] + 1)).sum() / len(users))


if __name__ == "__main__":
    main()
