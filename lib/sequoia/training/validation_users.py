"""The validation users of a training: a bounded sample, read from a small Parquet file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.strings import string_buffers
from sequoia.modelling.histories import Histories, Rows
from sequoia.modelling.item_index import ItemIndex

FILE = "validation.parquet"


@dataclass(frozen=True, kw_only=True)
class ValidationUsers:
    """Histories in vocabulary rows and the true next row of each user."""

    histories: Histories
    targets: Rows

    def part(self, rank: int, size: int) -> ValidationUsers:
        """Return every size-th user."""
        mine = np.arange(rank, len(self.targets), size)
        return ValidationUsers(histories=self.histories.take(mine), targets=self.targets[mine])


def read_validation(inputs: Path, index: ItemIndex, columns: Sequence[str] = ()) -> ValidationUsers:
    """Read users (history: list of item ids, target: item id) and translate them to vocabulary rows.

    columns: what else is to be known of the events.
    """
    table = pq.read_table(inputs / FILE, columns=["history", "target", *columns])
    history = one_chunk(table["history"])
    bounds = np.concatenate([[0], np.cumsum(history.value_lengths().to_numpy().astype(np.int64))])
    return ValidationUsers(
        histories=Histories(
            items_T=index.rows_of_ids(history.flatten().to_numpy()),
            bounds_B1=bounds,
            features={name: one_chunk(table[name]).flatten().to_numpy() for name in columns},
        ),
        targets=index.rows_of_ids(table["target"].to_numpy()),
    )


def mark_of_items(index: ItemIndex) -> str:
    """Return a hash of the items in their order, the same wherever they got these ids."""
    bounds, data = string_buffers(index.items)
    digest = hashlib.sha256((bounds - bounds[0]).tobytes())
    digest.update(data[bounds[0] :].tobytes())
    return digest.hexdigest()[:16]
