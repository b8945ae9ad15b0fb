"""The order in which torch's recurrent networks take events, and a slow network beside the packed one."""

from __future__ import annotations

import torch

from sequoia.modelling.histories import Histories
from sequoia.models.gru4rec import Gru4Rec, by_time
from sequoia.neural.batch import batch_of_histories


def test_events_by_time_by_hand() -> None:
    order, sizes = by_time(torch.tensor([0, 2, 5, 6]))
    # The second sequence is the longest: its first event, that of the first, of the third; and so on.
    assert order.tolist() == [2, 0, 5, 3, 1, 4]
    assert sizes.tolist() == [3, 2, 1]


def test_equals_a_network_that_walks_event_by_event() -> None:
    torch.manual_seed(2)
    model = Gru4Rec.make({"width": 6, "layers": 2, "max_length": 5, "dropout": 0.0}, 30)
    sequences = [[4, 9, 12], [7], [20, 21, 22, 23, 24]]
    found = model.encode(batch_of_histories(Histories.of(sequences), 5))
    expected = []
    for sequence in sequences:
        hidden = [torch.zeros(1, 6) for _ in model.layers]
        for item in sequence:
            state = model.table.rows(torch.tensor([item]))
            for number, layer in enumerate(model.layers):
                state, hidden[number] = layer(state, hidden[number])
            expected.append(model.output(state)[0])
    torch.testing.assert_close(found, torch.stack(expected))
