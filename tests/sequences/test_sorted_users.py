"""Whole users come out of a sorted stream wherever the batches are cut."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sequoia.sequences.sorted_users import list_column, run_starts, whole_users


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.lists(st.integers(0, 4), max_size=20))
def test_no_user_is_cut_and_no_row_is_lost(lengths: list[int], cuts: list[int]) -> None:
    users = np.repeat(np.arange(len(lengths)), lengths)
    columns = [pa.array(users), pa.array(np.arange(len(users)))]
    bounds = np.clip(np.cumsum([0, *cuts]), 0, len(users)).tolist()
    batches = [
        pa.RecordBatch.from_arrays([column[begin:end] for column in columns], names=["user_id", "event"])
        for begin, end in zip(bounds, [*bounds[1:], len(users)], strict=True)
    ]
    tables = list(whole_users(batches))
    seen = [set(table["user_id"].to_pylist()) for table in tables]
    assert sum(len(one) for one in seen) == len(lengths)
    assert pa.concat_tables(tables)["event"].to_pylist() == list(range(len(users)))


def test_no_batches_give_no_tables() -> None:
    assert list(whole_users([])) == []


def test_run_starts_end_with_the_length() -> None:
    assert run_starts(np.array([4, 4, 7, 4])).tolist() == [0, 2, 3, 4]


def test_lists_are_cut_at_the_offsets() -> None:
    values = pa.chunked_array([[1, 2], [3]])
    assert list_column(values, np.array([0, 1, 1, 3])).to_pylist() == [[1], [], [2, 3]]
