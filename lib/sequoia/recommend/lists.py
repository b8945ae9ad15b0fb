"""Between Arrow's list columns and lists of numpy arrays, without copying values one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def cut(values: NDArray[Any], column: pa.ListArray) -> list[NDArray[Any]]:
    """Cut the flattened values of a list column into one array per row; a null row is empty."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    return np.split(values, np.cumsum(lengths)[:-1]) if len(lengths) else []


def kept_lists(values_BK: pa.Array, kept_BK: NDArray[np.bool_]) -> pa.ListArray:
    """Make one list per row of the kept places; values are those of the kept places in row order."""
    offsets = np.concatenate([[0], np.cumsum(kept_BK.sum(axis=1))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values_BK)
