"""Several short sequences in one row, so that a batch of reviews is not mostly padding.

Shape letters: B sequences, L positions of a sequence, R packed rows, P positions of a packed row.
"""

from __future__ import annotations

import torch
from torch import Tensor


def pack(lengths_B: Tensor, row_length: int) -> tuple[Tensor, Tensor, int]:
    """Return row and first position of each sequence, and the number of rows (first fit, longest first)."""
    lengths = lengths_B.tolist()
    row_of, start_of = [0] * len(lengths), [0] * len(lengths)
    filled: list[int] = []
    for sequence in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        length = lengths[sequence]
        row = next((row for row, used in enumerate(filled) if used + length <= row_length), len(filled))
        if row == len(filled):
            filled.append(0)
        row_of[sequence], start_of[sequence] = row, filled[row]
        filled[row] += length
    return torch.tensor(row_of, dtype=torch.int64), torch.tensor(start_of, dtype=torch.int64), len(filled)


def place(values_T: Tensor, flat_positions_T: Tensor, num_rows: int, row_length: int) -> Tensor:
    """Return a (num_rows, row_length) tensor of zeros with values at flat positions."""
    placed = values_T.new_zeros(num_rows * row_length)
    return placed.scatter_(0, flat_positions_T, values_T).view(num_rows, row_length)
