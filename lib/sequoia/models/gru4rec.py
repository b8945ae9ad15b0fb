"""A gated recurrent network over a shopper's events (GRU4Rec, Hidasi et al. 2016, arXiv 1511.06939).

Items share one vector between input and output, as in the constrained embeddings of Hidasi and Karatzoglou
(2018, arXiv 1706.03847); their losses are `loss.kind` bpr-max and top1-max. A session is a training row of
its own, not a stretch of parallel ones, so that hidden states begin at zero.

Shape letters: B sequences, T events, D width.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from sequoia.neural.batch import Batch
from sequoia.neural.dropout import Dropout
from sequoia.neural.model import NeuralModel
from sequoia.settings import Settings


class Gru4RecSettings(Settings):
    """Size and regularisation of the network."""

    width: int = Field(ge=1)
    layers: int = Field(ge=1)
    max_length: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)


class Gru4Rec(NeuralModel):
    """Layers of gated recurrent units; dropout before each of them and before the output."""

    settings_type = Gru4RecSettings

    def __init__(self, settings: Gru4RecSettings, num_rows: int) -> None:
        """Build for num_rows = number of items + 2."""
        super().__init__(settings, num_rows, width=settings.width, max_length=settings.max_length)
        self.p = settings.dropout
        self.layers = nn.ModuleList(nn.GRU(settings.width, settings.width) for _ in range(settings.layers))
        self.output = nn.Linear(settings.width, settings.width)

    def encode(self, batch: Batch) -> Tensor:
        """Return states (T, D)."""
        dropout = Dropout(batch.keys_T)
        order_T, sizes = by_time(batch.bounds_B1)
        states_TD = self.inputs(batch)
        for layer in self.layers:
            given = dropout(states_TD, self.p).index_select(0, order_T).float()
            with torch.autocast(
                given.device.type, enabled=False
            ):  # which takes float16 on a GPU, come what may
                found, _ = layer(PackedSequence(given, sizes))
            states_TD = torch.empty_like(states_TD).index_copy(0, order_T, found.data)
        return self.output(dropout(states_TD, self.p))  # type: ignore[no-any-return]


def by_time(bounds_B1: Tensor) -> tuple[Tensor, Tensor]:
    """Return the events in the order torch's networks take them, and how many sequences have a k-th event.

    First come the first events of all sequences, the longest sequence first, then the second events.
    """
    lengths_B = bounds_B1.diff()
    sequences = len(lengths_B)
    rank_B = torch.empty_like(lengths_B)
    rank_B[lengths_B.argsort(descending=True, stable=True)] = torch.arange(sequences, device=bounds_B1.device)
    events = torch.arange(int(bounds_B1[-1]), device=bounds_B1.device)
    time_T = events - bounds_B1[:-1].repeat_interleave(lengths_B)
    order_T = (time_T * sequences + rank_B.repeat_interleave(lengths_B)).argsort()
    return order_T, torch.bincount(time_T).cpu()


MODEL = Gru4Rec
