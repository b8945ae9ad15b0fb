"""What the training loop and inference ask of a neural model."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from sequoia.neural.batch import Batch
from sequoia.neural.item_table import ItemTable


class NeuralModel(nn.Module):
    """A model that turns events into states, which the item table turns into scores.

    max_length: the most events of a sequence that it takes.
    """

    table: ItemTable
    max_length: int

    @abstractmethod
    def encode(self, batch: Batch) -> Tensor:
        """Return a state (T, D) for each event: of it and of what came before it in its sequence.

        With the batch's keys it is trained, and drops out by them.
        """
