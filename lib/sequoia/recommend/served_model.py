"""A model folder opened for use: raw item ids in, scores and raw item ids out.

Evaluation, batch recommendation and the registered model all go through this one class, so that what is
served is what was evaluated: events of unknown items are dropped, the newest max_length known ones count,
and a history without any known item gets the most popular items.

Shape letters: B users, V rows of the model's item index (0 padding, 1 unknown, items from 2), K top items.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sequoia.evaluate.ranking import FIRST_ITEM_ROW, hide_seen, top_rows
from sequoia.modelling.interface import pad_left
from sequoia.modelling.registry import load_model
from sequoia.recommend.item_rows import ItemPlaces

UNKNOWN_ROW = 1
MAX_SCORE_BYTES = 16 * 2**20  # of one batch of float32 scores: fits a CPU's cache and any worker's memory
MAX_BATCH_USERS = 1024

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """Top rows (B, K) best first, 0 where there are fewer; their scores; who had a known item (B,)."""

    rows_BK: Rows
    scores_BK: NDArray[np.float32]
    known_B: NDArray[np.bool_]


class ServedModel:
    """A model with its own item index."""

    def __init__(self, folder: Path) -> None:
        index = pq.read_table(folder / "items.parquet", columns=["row", "item", "events"]).sort_by("row")
        self.items: pa.Array = index["item"].cast(pa.string()).combine_chunks()
        self._places = ItemPlaces(self.items)
        self.model = load_model(folder)
        self.num_rows = self.model.num_rows
        assert self.num_rows == len(index) + FIRST_ITEM_ROW, (
            f"{folder}: items.parquet and weights disagree in size"
        )
        self.popularity_V = np.full(self.num_rows, -np.inf, dtype=np.float32)
        self.popularity_V[FIRST_ITEM_ROW:] = index["events"].to_numpy()
        if torch := sys.modules.get("torch"):
            # Spark runs one worker per core; more threads would fight over them.
            torch.set_num_threads(1)

    def rows_of(self, items: pa.Array) -> Rows:
        """Return the rows (int64) of raw item ids; 1 for an unknown one."""
        return self._places.find(items.cast(pa.string())) + FIRST_ITEM_ROW

    def items_of(self, rows: Rows) -> pa.Array:
        """Return the raw item ids of rows from 2."""
        return self.items.take(pa.array(rows - FIRST_ITEM_ROW))

    def batches(self, histories: Sequence[Rows]) -> Iterator[NDArray[np.int64]]:
        """Yield positions of users to score together: of like length, within the memory bound."""
        size = max(1, min(MAX_BATCH_USERS, MAX_SCORE_BYTES // (4 * self.num_rows)))
        by_length = np.argsort([len(history) for history in histories], kind="stable")
        for start in range(0, len(by_length), size):
            yield by_length[start : start + size]

    def scores(self, histories: Sequence[Rows]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Score all items (B, V) for histories of rows, oldest first; also return who has a known item (B,).

        The score of a user without one is the number of training events of the item.
        """
        known = [history[history >= FIRST_ITEM_ROW] for history in histories]
        known_B = np.array([len(history) > 0 for history in known], dtype=bool)
        scores_BV = self.model.scores(pad_left(known, self.model.max_length))
        scores_BV[~known_B] = self.popularity_V
        return scores_BV, known_B

    def recommend(self, histories: Sequence[Rows], k: int) -> Recommended:
        """Return the k best unseen items of each history, all that there are where k is more."""
        users, k = len(histories), min(k, len(self.items))
        rows_BK = np.zeros((users, k), dtype=np.int64)
        scores_BK = np.full((users, k), -np.inf, dtype=np.float32)
        known_B = np.zeros(users, dtype=bool)
        for batch in self.batches(histories):
            chosen = [histories[user] for user in batch]
            scores_BV, known_B[batch] = self.scores(chosen)
            hide_seen(scores_BV, chosen)
            rows_BK[batch] = top_rows(scores_BV, k)
            scores_BK[batch] = np.take_along_axis(scores_BV, rows_BK[batch], axis=1)
        return Recommended(rows_BK=rows_BK, scores_BK=scores_BK, known_B=known_B)


def open_served_model(folder: Path) -> ServedModel:
    """Open a model folder once per process (Spark keeps its workers), and again when it was rewritten."""
    return _open(folder, (folder / "model.json").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _open(folder: Path, _written: int) -> ServedModel:
    return ServedModel(folder)
