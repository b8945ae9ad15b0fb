"""CHECK constraints on Arrow rows: for files that tasks write, which neither Spark nor deltalake looks into.

As in Delta, a row of which the condition is unknown breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Condition = tuple[Any, ...]  # operator and operands: conditions, ("column", name) or ("value", constant)


def check_rows(rows: pa.Table, partition: Mapping[str, str], conditions: Mapping[str, Condition]) -> None:
    """Raise ValueError when rows of a partition break a condition; says which one and how many."""
    for name, wanted in conditions.items():
        held = _evaluated(wanted, rows, partition)
        if isinstance(held, pa.Scalar):
            kept = len(rows) if held.as_py() else 0
        else:
            kept = pc.sum(held).as_py() or 0
        if kept < len(rows):
            raise ValueError(f"{len(rows) - kept} of {len(rows)} rows break the constraint {name}")


def _evaluated(wanted: Condition, rows: pa.Table, partition: Mapping[str, str]) -> Any:
    operator, *operands = wanted
    if operator == "column":
        return _column(operands[0], rows, partition)
    if operator == "value":
        return pa.scalar(operands[0])
    values = [_evaluated(operand, rows, partition) for operand in operands]
    if operator == "contains":
        return _contains(*values)
    function: Callable[..., Any] = getattr(pc, operator)
    return function(*values)


def _column(name: str, rows: pa.Table, partition: Mapping[str, str]) -> Any:
    if name in partition:
        return pa.scalar(partition[name])
    column = rows.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _contains(lists: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array:
    """Say of each list whether its own value is in it."""
    lengths = pc.list_value_length(lists).to_numpy()
    equal = pc.list_flatten(lists).to_numpy() == np.repeat(values.to_numpy(), lengths)
    found = np.zeros(len(lengths), dtype=bool)
    found[np.searchsorted(np.cumsum(lengths), np.flatnonzero(equal), side="right")] = True
    return pa.array(found)
