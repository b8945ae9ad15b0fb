"""SASRec by RecBole: `<python of the peers> recbole_sasrec.py SEQUENCES SECONDS SCRATCH`.

Every prefix is an example of its own there, and a batch has so many prefixes as the others have users.
"""

from __future__ import annotations

import sys
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import get_model, init_seed
from shoppers import BATCH, BLOCKS, DROPOUT, LENGTH, RATE, WIDTH, Epochs, num_positions, read, say, test_ndcg

NAME = "shoppers"


def main() -> None:
    """Train for so many seconds, then rank."""
    users, seconds, scratch = read(Path(sys.argv[1])), float(sys.argv[2]), Path(sys.argv[3])
    write(users, scratch / NAME / f"{NAME}.inter")
    sys.argv = sys.argv[:1]  # RecBole reads them too
    epochs = Epochs(num_positions(users), seconds)
    config = Config(model="SASRec", dataset=NAME, config_dict=settings(scratch))
    init_seed(0, reproducibility=True)
    dataset = create_dataset(config)
    train, _, _ = data_preparation(config, dataset)
    model = get_model("SASRec")(config, train.dataset)
    trainer = Trainer(config, model)
    say(step="prepared", seconds=epochs.elapsed)
    epoch = 0
    while not epochs.are_over:
        trainer._train_epoch(Until(epochs, train), epoch, show_progress=False)
        epochs.end()
        epoch += 1
    took = epochs.elapsed
    model.eval()
    own = dataset.token2id("item_id", np.array([str(item) for item in range(1, dataset.item_num)]))

    def scores(histories: list[list[int]]) -> Any:
        padded = np.zeros((len(histories), LENGTH), np.int64)
        for row, history in zip(padded, histories, strict=True):
            newest = history[-LENGTH:]
            row[: len(newest)] = own[np.array(newest) - 1]
        lengths = torch.from_numpy((padded > 0).sum(axis=1))
        with torch.inference_mode():
            found = model(torch.from_numpy(padded), lengths) @ model.item_embedding.weight.T
        return np.concatenate([np.zeros((len(histories), 1), np.float32), found.numpy()[:, own]], axis=1)

    say(ndcg=test_ndcg(users, scores), seconds=took)


class Until:
    """An epoch's batches, no more of them when the time is over."""

    def __init__(self, epochs: Epochs, batches: Any) -> None:
        self._epochs, self._batches = epochs, batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Any:
        return takewhile(lambda _: not self._epochs.are_over, self._batches)


def write(users: list[list[int]], path: Path) -> None:
    """Write its atomic file; the last two items of each user are its validation and test."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for user, items in enumerate(users):
            file.writelines(f"{user}\t{item}\t{place}\n" for place, item in enumerate(items))


def settings(scratch: Path) -> dict[str, Any]:
    """Return what differs from its defaults."""
    return {
        "data_path": str(scratch), "checkpoint_dir": str(scratch), "use_gpu": False, "state": "ERROR",
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "MAX_ITEM_LIST_LENGTH": LENGTH, "n_layers": BLOCKS, "n_heads": 2, "hidden_size": WIDTH,
        "inner_size": 4 * WIDTH, "hidden_dropout_prob": DROPOUT, "attn_dropout_prob": DROPOUT,
        "loss_type": "CE", "train_neg_sample_args": None, "train_batch_size": BATCH, "learning_rate": RATE,
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
    }  # fmt: skip


if __name__ == "__main__":
    main()
