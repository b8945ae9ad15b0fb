"""The validation users of a training: a bounded sample, read from a small Parquet file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.strings import string_buffers


@dataclass(frozen=True, kw_only=True)
class HeldOutUsers:
    """Histories (vocabulary rows, oldest first) and the true next row of each user."""

    histories: list[NDArray[np.int64]]
    targets: NDArray[np.int64]

    def part(self, rank: int, size: int) -> HeldOutUsers:
        """Return every size-th user."""
        return HeldOutUsers(histories=self.histories[rank::size], targets=self.targets[rank::size])


@dataclass(frozen=True, kw_only=True)
class ItemIndex:
    """A model's own items: position p of each array belongs to vocabulary row p + 2.

    mark: a hash of the items in their order, the same wherever they got these ids.
    """

    item_ids: NDArray[np.int64]
    events: NDArray[np.int64]
    mark: str

    @property
    def num_rows(self) -> int:
        """Return the number of vocabulary rows, padding and unknown included."""
        return len(self.item_ids) + 2

    def rows_of(self, item_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return vocabulary rows (int64) of item ids; 1 for an unknown one."""
        place = np.minimum(np.searchsorted(self.item_ids, item_ids), len(self.item_ids) - 1)
        return np.where(self.item_ids[place] == item_ids, place + 2, 1)


def read_items(folder: Path) -> ItemIndex:
    """Read the item index of a model folder."""
    table = pq.read_table(folder / "items.parquet", columns=["row", "item_id", "item", "events"])
    rows = table["row"].to_numpy()
    assert np.array_equal(rows, np.arange(2, len(rows) + 2)), f"{folder}/items.parquet is not in row order"
    return ItemIndex(
        item_ids=table["item_id"].to_numpy(),
        events=table["events"].to_numpy(),
        mark=_mark(one_chunk(table["item"])),
    )


def _mark(items: pa.StringArray) -> str:
    bounds, data = string_buffers(items)
    digest = hashlib.sha256((bounds - bounds[0]).tobytes())
    digest.update(data[bounds[0] :].tobytes())
    return digest.hexdigest()[:16]


def read_held_out(path: Path, items: ItemIndex) -> HeldOutUsers:
    """Read users (history: list of item ids, target: item id) and translate them to vocabulary rows."""
    table = pq.read_table(path, columns=["history", "target"]).combine_chunks()
    history = table["history"].combine_chunks()
    rows = items.rows_of(history.flatten().to_numpy())
    ends = np.cumsum(history.value_lengths().to_numpy())
    targets = items.rows_of(table["target"].to_numpy())
    return HeldOutUsers(histories=np.split(rows, ends[:-1]) if len(ends) else [], targets=targets)
