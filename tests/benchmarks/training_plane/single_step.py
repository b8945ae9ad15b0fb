"""One step of a SASRec on random rows, and how long something takes: what the benchmarks of steps share."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch

from sequoia.config import load_config
from sequoia.distributed.single import SingleProcess
from sequoia.losses.choice import choose_loss
from sequoia.models.sasrec import SasRec
from sequoia.readers.rank_rows import StepRows
from sequoia.training.examples import Step, make_step
from sequoia.training.learner import Learner

STEPS, WARM = 20, 5


class Size(NamedTuple):
    """Of a model and of a step's batch; every sequence is as long as the model takes."""

    width: int
    blocks: int
    heads: int
    length: int
    sequences: int
    items: int


def random_step(size: Size) -> Step:
    """Return a step of full sequences of items drawn uniformly."""
    shape = size.sequences, size.length + 1
    rows = np.random.default_rng(1).integers(2, size.items + 2, shape).astype(np.int32)
    places = np.arange(size.sequences)
    step = StepRows(epoch=0, step=0, steps=1000, places=places, columns={"items": rows})
    return make_step(step, max_length=size.length, budget=1 << 30, seed=1)


def make_learner(size: Size, device: torch.device, *overrides: str) -> Learner:
    """Return a learner of a SASRec of this size, dropout on; overrides: of loss and training."""
    config = load_config(overrides=overrides)
    settings = {
        "width": size.width,
        "blocks": size.blocks,
        "heads": size.heads,
        "max_length": size.length,
        "dropout": 0.2,
    }
    model = SasRec.make(settings, size.items + 2).to(device)
    loss = choose_loss(config.loss, torch.ones(size.items + 2, device=device))
    return Learner(model, loss, SingleProcess(), config.training, 1)


def milliseconds(act: Callable[[], Any], device: torch.device) -> float:
    """Return the median of 20 times, after 5 that warm up."""
    taken = []
    for _ in range(WARM + STEPS):
        begin = time.perf_counter()
        act()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(1000 * (time.perf_counter() - begin))
    return median(taken[WARM:])
