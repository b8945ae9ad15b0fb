"""The current vocabulary in a worker: from item ids of the tables to its rows, and to a model's own rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sequoia.evaluate.ranking import FIRST_ITEM_ROW
from sequoia.local_files import local_copy
from sequoia.recommend.served_model import UNKNOWN_ROW, ServedModel
from sequoia.storage import locate

Rows = NDArray[np.int64]


class Vocabulary:
    """The items of the vocabulary table; row r is item r - 2 of its arrays."""

    def __init__(self, files: Sequence[str]) -> None:
        columns = ["row", "item_id", "item", "events"]
        tables = [pq.read_table(local_copy(locate(path)), columns=columns) for path in files]
        table = pa.concat_tables(tables).sort_by("row")
        self.items: pa.Array = table["item"].cast(pa.string()).combine_chunks()
        self._item_ids = table["item_id"].to_numpy()
        self.events_V = np.concatenate([[0, 0], table["events"].to_numpy()])
        self.popularity_V = _shares_not_above(self.events_V)
        assert (np.diff(self._item_ids) > 0).all(), "vocabulary rows do not ascend with item ids"

    def rows_of(self, item_ids: Rows) -> Rows:
        """Return vocabulary rows of item_index ids; 1 for an item outside."""
        places = np.searchsorted(self._item_ids, item_ids)
        found = np.take(self._item_ids, places, mode="clip") == item_ids
        return np.where(found, places + FIRST_ITEM_ROW, UNKNOWN_ROW)


def _shares_not_above(events_V: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of items with no more events than a row's, 1 for the most popular; 0 for rows 0, 1."""
    items = events_V[FIRST_ITEM_ROW:]
    shares = np.zeros(len(events_V))
    shares[FIRST_ITEM_ROW:] = np.searchsorted(np.sort(items), items, side="right") / max(len(items), 1)
    return shares


class Translation:
    """Rows of the vocabulary to rows of a model and back, by raw item id: a model may come from elsewhere.

    An item that the other side does not know becomes row 1.
    """

    def __init__(self, vocabulary: Vocabulary, model: ServedModel) -> None:
        self._to_model = np.concatenate([[0, UNKNOWN_ROW], model.rows_of(vocabulary.items)])
        self._to_vocabulary = np.full(model.num_rows, UNKNOWN_ROW)
        self._to_vocabulary[0] = 0
        known = np.flatnonzero(self._to_model >= FIRST_ITEM_ROW)
        self._to_vocabulary[self._to_model[known]] = known
        own = np.arange(len(self._to_model))
        self.is_identity = model.num_rows == len(own) and bool((self._to_model == own).all())

    def to_model(self, vocabulary_rows: Rows) -> Rows:
        """Return rows of the model."""
        return self._to_model[vocabulary_rows]

    def to_vocabulary(self, model_rows: Rows) -> Rows:
        """Return rows of the vocabulary."""
        return self._to_vocabulary[model_rows]


@lru_cache(maxsize=2)
def open_vocabulary(files: tuple[str, ...]) -> Vocabulary:
    """Read the vocabulary's files once per process."""
    return Vocabulary(files)


@lru_cache(maxsize=8)
def translate(vocabulary: Vocabulary, model: ServedModel) -> Translation:
    """Match a vocabulary with a model once per process."""
    return Translation(vocabulary, model)
