"""What sequoia needs for the same shoppers, by its own commands: positions a second, quality, scaling."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import shoppers
import torch

from sequoia.evaluate.metrics import metrics_of_ranks
from sequoia.evaluate.ranking import full_ranks
from sequoia.modelling.histories import Histories
from sequoia.modelling.recommender import Recommender
from sequoia.modelling.trained import read_trained

# What the peers train, as far as settings go.
ALIKE = [
    f"models.sasrec.width={shoppers.WIDTH}", f"models.sasrec.blocks={shoppers.BLOCKS}",
    f"models.sasrec.max_length={shoppers.LENGTH}", f"models.sasrec.dropout={shoppers.DROPOUT}",
    f"training.batch_size={shoppers.BATCH}", f"training.learning_rate={shoppers.RATE}",
]  # fmt: skip
ROWS_OF_A_RANK = (128, 256, 1024)
ALONE = ["training.launcher=single", "training.processes=1"]


class Road:
    """A workspace with the shoppers' sequences, to train in."""

    def __init__(self, workspace: Path, sequences: Path) -> None:
        self._settings = ["--config", "beauty.yaml", f"workspace={workspace}", f"ingest.raw={sequences}"]
        self.workspace = workspace

    def prepare(self) -> None:
        """Go from the file to training rows."""
        for stage in ("ingest", "index", "sequences"):
            self._do(stage)

    def train(self, *overrides: str) -> list[dict[str, float]]:
        """Train a SASRec anew; return its epochs."""
        self._do("train", "training.models=[sasrec]", "training.resume=false", *overrides)
        about = json.loads((self.folder / "model.json").read_text())
        epochs: list[dict[str, float]] = about["history"]
        return epochs

    @property
    def folder(self) -> Path:
        """Return the folder of the model trained last."""
        return Path(str(read_trained(self.workspace)["sasrec"].folder))

    def _do(self, stage: str, *overrides: str) -> None:
        command = [str(Path(sys.executable).with_name("sequoia")), stage, *self._settings, *overrides]
        quiet = {**os.environ, "JAVA_TOOL_OPTIONS": ""}
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")


def rate(epochs: list[dict[str, float]]) -> float:
    """Return the median of targets a second, the first epoch left out: it warms up."""
    return median(epoch["targets"] / epoch["seconds"] for epoch in epochs[1:])


def rates(road: Road, threads: int) -> dict[str, float]:
    """Return positions a second with the logits that the machine is good at, and with float32."""
    alone = [*ALIKE, *ALONE, f"training.threads={threads}", "training.epochs=4"]
    return {
        "sequoia_events_s": rate(road.train(*alone)),
        "sequoia_float32_events_s": rate(road.train(*alone, "loss.logits_type=float32")),
    }


def scaling(road: Road) -> dict[str, Any]:
    """Return how much faster two processes of one thread are than one, and what Horovod takes of torchrun.

    Each process has as many rows of a step, alone or not: by so many rows.
    """
    found = {str(rows): _scaling(road, rows) for rows in ROWS_OF_A_RANK}
    return found | found[str(max(ROWS_OF_A_RANK))]


def _scaling(road: Road, rows: int) -> dict[str, float]:
    same = [*ALIKE, "training.threads=1", "training.epochs=5"]
    two = [*same, "training.processes=2", f"training.batch_size={2 * rows}"]
    alone = [*same, *ALONE, f"training.batch_size={rows}"]
    before = rate(road.train(*alone))
    horovod, torchrun = (
        rate(road.train(*two, f"training.launcher={name}")) for name in ("horovod", "torchrun")
    )
    one = (before + rate(road.train(*alone))) / 2  # before and after: the machine is not the same for long
    return {
        "rank_1_events_s": one,
        "horovod_2_events_s": horovod,
        "torchrun_2_events_s": torchrun,
        "ranks_2_over_1": max(horovod, torchrun) / one,
        "horovod_over_torchrun": torchrun / horovod,
    }


def quality(road: Road, threads: int, users: list[list[int]], *overrides: str) -> dict[str, float]:
    """Train by conf/beauty.yaml and overrides; return test metrics, and how long it took."""
    epochs = road.train(*ALONE, f"training.threads={threads}", *overrides)
    recommender = Recommender.read(road.folder)
    torch.set_num_threads(threads)
    names = pa.array([str(item) for items in users for item in items])
    bounds = np.concatenate([[0], np.cumsum([len(items) for items in users])])
    taken = Histories(items_T=recommender.index.rows_of(names), bounds_B1=bounds)
    histories, targets = taken.where(taken.back > 0), taken.items_T[bounds[1:] - 1]
    begin = time.perf_counter()
    ranked = recommender.rank(histories, targets[:, None], 20)
    seconds = time.perf_counter() - begin
    found = metrics_of_ranks(full_ranks(ranked, len(recommender.index)))
    return {
        "ndcg": found["ndcg@10"],
        "hr": found["hr@10"],
        "train_s": sum(epoch["seconds"] for epoch in epochs),
        "epochs": len(epochs),
        "evaluate_s": seconds,
    }


def floor(threads: int, items: int) -> float:
    """Return positions a second if nothing but the products of logits took time, at the machine's own rate.

    Logits, the gradients of states and of item vectors: three products of 2 x width x items operations.
    """
    torch.set_num_threads(threads)
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    dtype = torch.bfloat16 if "avx512_bf16" in flags else torch.float32
    square = torch.randn(2048, 2048).to(dtype)
    seconds = []
    for _ in range(10):
        begin = time.perf_counter()
        square @ square
        seconds.append(time.perf_counter() - begin)
    return 2 * 2048**3 / min(seconds) / (6 * shoppers.WIDTH * items)
