"""Packed sequences keep their order, never overlap and waste little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequoia.neural.packing import pack


def test_packs_by_hand() -> None:
    row, start, num_rows = pack(np.array([2, 5, 3, 0]), 5)
    assert num_rows == 2
    assert (row[1], start[1]) == (0, 0)
    assert (row[2], start[2]) == (1, 0)
    assert (row[0], start[0]) == (1, 3)


@given(st.lists(st.integers(0, 9), max_size=30))
def test_no_two_sequences_share_a_position_and_at_most_one_row_is_half_empty(lengths: list[int]) -> None:
    row, start, num_rows = pack(np.array(lengths, np.int64), 9)
    taken = [
        (int(row[i]), position)
        for i, n in enumerate(lengths)
        for position in range(int(start[i]), int(start[i]) + n)
    ]
    assert len(set(taken)) == len(taken)
    assert all(0 <= r < num_rows and p < 9 for r, p in taken)
    filled = [sum(1 for r, _ in taken if r == wanted) for wanted in range(num_rows)]
    assert sum(1 for used in filled if 2 * used <= 9) <= 1


@pytest.mark.parametrize("most", [7, 50])
@pytest.mark.parametrize("sequences", [1, 60, 2048])
def test_takes_as_few_rows_as_first_fit(most: int, sequences: int) -> None:
    for seed in range(5):
        drawn = np.random.default_rng(seed)
        even = drawn.integers(1, most + 1, sequences)
        short = np.minimum(drawn.geometric(0.2, sequences), most)
        for lengths in (even, short):
            rows = pack(lengths, 50)[2]
            assert rows <= first_fit(lengths.tolist(), 50) + 1


def first_fit(lengths: list[int], row_length: int) -> int:
    filled: list[int] = []
    for length in sorted(lengths, reverse=True):
        row = next((row for row, used in enumerate(filled) if used + length <= row_length), len(filled))
        filled[row : row + 1] = [length + (filled[row] if row < len(filled) else 0)]
    return len(filled)
