"""The items of a vocabulary or of a model folder: which row is which item, and what is known of it.

Read by whoever needs it, in tasks and training processes; it never travels through the driver. Row r is entry
r - 2 of the columns. 15 million items take 120 MB for each column of ids, and their names what they are long.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sequoia.errors import UserError
from sequoia.modelling.histories import FIRST_ITEM_ROW, UNKNOWN_ROW, Rows
from sequoia.modelling.item_places import ItemPlaces

FILE = "items.parquet"
COLUMNS = ("row", "item_id", "item", "events")


class ItemIndex:
    """Items in the order of their rows, which is that of their ids."""

    def __init__(self, table: pa.Table) -> None:
        """Take (row, item_id, item, events), in any order; of these what is not asked for may be missing."""
        order = np.argsort(table["row"].to_numpy())
        in_order = bool((order == np.arange(len(order))).all())
        self._table = (table if in_order else table.take(pa.array(order))).combine_chunks()
        rows = self._table["row"].to_numpy()
        if not np.array_equal(rows, np.arange(FIRST_ITEM_ROW, len(rows) + FIRST_ITEM_ROW)):
            raise AssertionError("the rows of an item index have a gap")

    @staticmethod
    def read(folder: Path) -> ItemIndex:
        """Read the item index of a model folder, with the features that it has."""
        return ItemIndex(pq.read_table(folder / FILE))

    def column(self, name: str) -> NDArray[np.generic]:
        """Return a feature of the items (len(self),), as a number.

        Raises UserError when the index was written without it.
        """
        if name not in self._table.column_names:
            raise UserError(f"the item index has no column {name}: run `sequoia train` again")
        values: NDArray[np.generic] = self._table[name].to_numpy()
        return values

    def __len__(self) -> int:
        return len(self._table)

    @property
    def num_rows(self) -> int:
        """Return the number of rows, padding and unknown included."""
        return len(self) + FIRST_ITEM_ROW

    @cached_property
    def items(self) -> pa.Array:
        """Return the raw ids, strings."""
        names = self._table["item"].cast(pa.string())
        return pa.concat_arrays(names.chunks) if names.num_chunks != 1 else names.chunk(0)

    @cached_property
    def item_ids(self) -> Rows:
        """Return the ids of item_index, ascending."""
        ids: Rows = self._table["item_id"].to_numpy()
        assert (np.diff(ids) > 0).all(), "rows do not ascend with item ids"
        return ids

    @cached_property
    def events(self) -> Rows:
        """Return the training events of each row; rows 0 and 1 have none."""
        return np.concatenate([[0] * FIRST_ITEM_ROW, self._table["events"].to_numpy()])

    @cached_property
    def popularity(self) -> NDArray[np.float64]:
        """Return the share of items with no more events than a row's: 1 for the most popular."""
        items = self.events[FIRST_ITEM_ROW:]
        shares = np.searchsorted(np.sort(items), items, side="right") / max(len(items), 1)
        return np.concatenate([[0.0] * FIRST_ITEM_ROW, shares])

    @cached_property
    def _places(self) -> ItemPlaces:
        return ItemPlaces(self.items)

    def rows_of(self, items: pa.Array) -> Rows:
        """Return the rows (int64) of raw ids; 1 for an unknown one."""
        return self._places.find(items.cast(pa.string())) + FIRST_ITEM_ROW

    def rows_of_ids(self, item_ids: Rows) -> Rows:
        """Return the rows (int64) of ids of item_index; 1 for an unknown one."""
        if not len(self):
            return np.full(len(item_ids), UNKNOWN_ROW)
        places = np.searchsorted(self.item_ids, item_ids)
        found = np.take(self.item_ids, places, mode="clip") == item_ids
        return np.where(found, places + FIRST_ITEM_ROW, UNKNOWN_ROW)

    def items_of(self, rows: Rows) -> pa.Array:
        """Return the raw ids of rows from 2."""
        return self.items.take(pa.array(rows - FIRST_ITEM_ROW))


class Translation:
    """Rows of one index to those of another and back, by raw id: a model may come from elsewhere.

    An item that the other side does not know becomes row 1.
    """

    def __init__(self, own: ItemIndex, other: ItemIndex) -> None:
        self._there = np.concatenate([np.arange(FIRST_ITEM_ROW), other.rows_of(own.items)])
        self._back = np.full(other.num_rows, UNKNOWN_ROW)
        known = np.flatnonzero(self._there >= FIRST_ITEM_ROW)
        self._back[self._there[known]] = known
        self._back[0] = 0
        same = np.arange(len(self._there))
        self.is_identity = other.num_rows == len(same) and bool((self._there == same).all())

    def there(self, rows: Rows) -> Rows:
        """Return the other's rows of one's own."""
        found: Rows = self._there[rows]
        return found

    def back(self, rows: Rows) -> Rows:
        """Return one's own rows of the other's."""
        found: Rows = self._back[rows]
        return found


@lru_cache(maxsize=8)
def translate(own: ItemIndex, other: ItemIndex) -> Translation:
    """Match two indexes once per process."""
    return Translation(own, other)
