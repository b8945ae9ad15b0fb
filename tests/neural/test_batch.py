"""A batch holds its sequences one behind the other, and brings values to rectangles and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sequoia.modelling.histories import Histories
from sequoia.neural.batch import batch_of_histories


def test_by_hand() -> None:
    batch = batch_of_histories(Histories.of([[5, 6, 7], [8, 9]]), 5)
    assert batch.items_T.tolist() == [5, 6, 7, 8, 9]
    assert batch.bounds_B1.tolist() == [0, 3, 5]
    assert batch.newest.tolist() == [2, 4]
    assert batch.packed.segments_RL.tolist() == [[1, 1, 1, 2, 2]]
    assert batch.packed.spread(batch.items_T).tolist() == [[5, 6, 7, 8, 9]]


def test_the_newest_events_count() -> None:
    batch = batch_of_histories(Histories.of([range(2, 12)]), 4)
    assert batch.items_T.tolist() == [8, 9, 10, 11]


@given(st.lists(st.integers(1, 9), max_size=20))
def test_values_come_back_from_their_positions_and_sequences_stay_apart(lengths: list[int]) -> None:
    histories = [np.full(length, number + 2) for number, length in enumerate(lengths)]
    batch = batch_of_histories(Histories.of(histories), 9)
    values = torch.arange(float(2 * sum(lengths))).view(-1, 2)
    assert torch.equal(batch.packed.gather(batch.packed.spread(values)), values)
    placed = batch.packed.spread(batch.items_T)
    for number, length in enumerate(lengths):
        mine = batch.packed.segments_RL == number + 1
        assert placed[mine].tolist() == [number + 2] * length
        rows, columns = mine.nonzero(as_tuple=True)
        assert len(set(rows.tolist())) == 1
        assert torch.equal(columns, columns[0] + torch.arange(length))
