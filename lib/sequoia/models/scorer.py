"""What evaluation, recommendation and the registry see of a model: a folder that turns histories into scores.

A model folder holds `model.json` (kind, settings, sizes), `weights.safetensors`, and `items.parquet` (its own
item index: row, item_id, item, events). No pickle anywhere.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sequoia.errors import UserError

# By kind the module beside this one and its class: imported when such a model is opened, since torch takes
# seconds and is missing where only a counting model is served.
SCORERS = {"sasrec": ("sasrec_scorer", "SasRecScorer"), "counting": ("counting", "CountingScorer")}


class Scorer(Protocol):
    """A fitted model of any kind."""

    num_rows: int
    max_length: int

    def scores(self, histories_BL: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all items for a batch of histories.

        histories_BL: (B, L) int64 vocabulary rows, oldest first, padded with 0 on the left; row 1 is an
        unknown item. Returns (B, num_rows) float32; rows 0 and 1 are -inf. A model may use only the last
        max_length events.
        """
        ...


def kind_of(folder: Path) -> str:
    """Return what kind of model a folder holds; raises UserError when it holds none of a known kind."""
    try:
        kind = str(json.loads((folder / "model.json").read_text(encoding="utf-8"))["kind"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{folder} holds no model ({error}): name a folder written by `sequoia train`"
        ) from None
    if kind not in SCORERS:
        known = " and ".join(SCORERS)
        raise UserError(f"{folder} holds a model of unknown kind {kind!r}: known are {known}")
    return kind


def scorer_module(kind: str) -> str:
    """Return the name of the module with the class of this kind."""
    return f"{__package__}.{SCORERS[kind][0]}"


def load_scorer(folder: Path) -> Scorer:
    """Load the model of a folder, whatever its kind.

    Raises UserError when the folder holds no model of a known kind.
    """
    kind = kind_of(folder)
    scorer: Scorer = getattr(import_module(scorer_module(kind)), SCORERS[kind][1]).load(folder)
    return scorer


def pad_left(histories: list[NDArray[np.int64]], length: int) -> NDArray[np.int64]:
    """Stack the last `length` events of each history into (B, length) int64, padded with 0 on the left."""
    padded = np.zeros((len(histories), length), dtype=np.int64)
    for row, history in enumerate(histories):
        tail = history[-length:]
        padded[row, length - len(tail) :] = tail
    return padded
