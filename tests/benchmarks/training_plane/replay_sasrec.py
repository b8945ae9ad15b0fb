"""SASRec by RePlay: `<python of the peers> replay_sasrec.py SEQUENCES SECONDS SCRATCH`.

It learns from whole sequences, as ours does.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import ParquetModule, TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.nn.lightning import LightningModule
from replay.nn.lightning.optimizer import OptimizerFactory
from replay.nn.sequential import SasRec
from replay.nn.transform.template import make_default_sasrec_transforms
from shoppers import (
    BATCH,
    BLOCKS,
    DROPOUT,
    LENGTH,
    RATE,
    WIDTH,
    Epochs,
    num_positions,
    read,
    say,
    test_ndcg,
    training,
)


def main() -> None:
    """Train for so many seconds, then rank."""
    users, seconds = read(Path(sys.argv[1])), float(sys.argv[2])
    epochs = Epochs(num_positions(users), seconds)

    class Tell(lightning.Callback):  # type: ignore[misc]
        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            epochs.end()

    items = max(max(one) for one in users)
    schema = schema_of(items)
    path = Path(sys.argv[3]) / "train.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    lists = pa.array([[item - 1 for item in one] for one in training(users)], pa.list_(pa.int64()))
    pq.write_table(pa.table({"item_id": lists}), path)
    torch.manual_seed(0)
    data = ParquetModule(
        batch_size=BATCH,
        metadata={"train": {"item_id": {"shape": LENGTH + 1, "padding": items}}},
        transforms=make_default_sasrec_transforms(schema),
        train_path=str(path),
    )
    net = SasRec.from_params(schema, WIDTH, 2, BLOCKS, LENGTH, DROPOUT)
    module = LightningModule(net, OptimizerFactory(learning_rate=RATE))
    say(step="prepared", seconds=epochs.elapsed)
    trainer = lightning.Trainer(
        max_time=timedelta(seconds=seconds), max_epochs=-1, limit_val_batches=0, callbacks=[Tell()],
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=sys.argv[3],
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    took = epochs.elapsed
    net.eval()

    def scores(histories: list[list[int]]) -> Any:
        padded = np.full((len(histories), LENGTH), items)
        for row, history in zip(padded, histories, strict=True):
            newest = history[-LENGTH:]
            row[LENGTH - len(newest) :] = np.array(newest) - 1
        given = torch.from_numpy(padded)
        with torch.inference_mode():
            found = net.forward_inference({"item_id": given}, given != items)["logits"]
        return np.concatenate([np.zeros((len(histories), 1), np.float32), found.numpy()], axis=1)

    say(ndcg=test_ndcg(users, scores), seconds=took)


def schema_of(items: int) -> TensorSchema:
    """Return the schema of item numbers from 0."""
    return TensorSchema(
        [
            TensorFeatureInfo(
                "item_id",
                is_seq=True,
                feature_type=FeatureType.CATEGORICAL,
                embedding_dim=WIDTH,
                padding_value=items,
                cardinality=items,
                feature_hint=FeatureHint.ITEM_ID,
                feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")],
            )
        ]
    )


if __name__ == "__main__":
    main()
