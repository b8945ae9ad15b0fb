"""Between Arrow's list columns and flat numpy arrays, without copying values one by one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sequoia.modelling.histories import EVENT_FEATURES, Histories
from sequoia.modelling.item_index import ItemIndex


def histories_of(
    index: ItemIndex, histories: pa.ListArray, columns: Mapping[str, pa.ListArray] | None = None
) -> Histories:
    """Return lists of raw item ids as histories in rows of an index; a null list is empty.

    columns: of EVENT_FEATURES, lists as long as the histories; a null value is unknown.
    """
    lengths = pc.fill_null(pc.list_value_length(histories), 0).to_numpy(zero_copy_only=False)
    bounds = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    features = {
        name: pc.fill_null(lists.flatten(), 0).to_numpy(zero_copy_only=False).astype(EVENT_FEATURES[name])
        for name, lists in (columns or {}).items()
    }
    return Histories(items_T=index.rows_of(histories.flatten()), bounds_B1=bounds, features=features)


def kept_lists(values_BK: pa.Array, kept_BK: NDArray[np.bool_]) -> pa.ListArray:
    """Make one list per row of the kept places; values are those of the kept places in row order."""
    offsets = np.concatenate([[0], np.cumsum(kept_BK.sum(axis=1))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values_BK)
