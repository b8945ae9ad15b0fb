"""Fixed windows from lists, by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sequoia.sequences.training_rows import fixed_lists, pad_left


def test_windows_hold_the_last_training_events() -> None:
    lists = pa.array([[1, 2, 3, 4, 5], [6, 7], [8, 9, 10]], pa.list_(pa.int64()))
    windows = pad_left(lists, np.array([4, 2, 3]), 3)
    assert windows.tolist() == [[2, 3, 4], [0, 6, 7], [8, 9, 10]]


def test_a_slice_of_a_batch_is_read_from_its_own_start() -> None:
    lists = pa.array([[1, 2, 3], [4, 5], [6, 7, 8]], pa.list_(pa.int64())).slice(1)
    assert pad_left(lists, np.array([2, 2]), 4).tolist() == [[0, 0, 4, 5], [0, 0, 6, 7]]


def test_windows_become_lists_of_one_length() -> None:
    column = fixed_lists(np.array([[0, 1], [2, 3]]), pa.int32())
    assert column.type == pa.list_(pa.int32())
    assert column.to_pylist() == [[0, 1], [2, 3]]
