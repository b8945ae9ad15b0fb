"""What every neural model has in common: a table of items, scores from states, and the folder it is kept in.

A model says how events become states (`encode`); the training loop and inference follow from that.

Shape letters: B histories, L events, T events of a batch, V vocabulary rows, D width.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sequoia.modelling.folder import WEIGHTS, read_about, write_about
from sequoia.neural.batch import Batch, make_batch
from sequoia.neural.item_table import ItemTable
from sequoia.settings import Settings


class NeuralModel(nn.Module):
    """A model that turns events into states, which the item table turns into scores.

    max_length: the most events of a sequence that it takes.
    """

    settings_type: ClassVar[type[Settings]]
    fitted_on: ClassVar[str] = "training"

    def __init__(self, settings: Any, num_rows: int, *, width: int, max_length: int) -> None:
        """Take the model's own settings and make its table; a subclass adds its parts."""
        super().__init__()
        self.settings: Any = settings
        self.max_length = max_length
        self.table = ItemTable(num_rows, width)

    @property
    def num_rows(self) -> int:
        """Return the number of vocabulary rows, padding and unknown included."""
        return self.table.num_rows

    @abstractmethod
    def encode(self, batch: Batch) -> Tensor:
        """Return a state (T, D) for each event: of it and of what came before it in its sequence.

        With the batch's keys it is trained, and drops out by them.
        """

    @torch.inference_mode()
    def scores(self, histories_BL: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score histories (B, L) of vocabulary rows; returns (B, V) float32, rows 0 and 1 are -inf."""
        newest_BL = histories_BL[:, -self.max_length :].astype(np.int64)
        present_BL = newest_BL > 0
        lengths_B = present_BL.sum(axis=1)
        device = self.table.device
        states_BD = torch.zeros(len(newest_BL), self.table.width, device=device)
        if lengths_B.any():
            batch = make_batch(newest_BL[present_BL], lengths_B[lengths_B > 0], self.max_length).to(device)
            states_BD[torch.from_numpy(lengths_B > 0)] = self.encode(batch)[batch.newest]
        return self.table.scores(states_BD).cpu().numpy()

    def save(self, folder: Path, *, extra: dict[str, Any]) -> None:
        """Write model.json (with `extra` plain values) and weights.safetensors beside the item index."""
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(weights, folder / WEIGHTS)
        write_about(folder, self, self.settings.model_dump(), extra)

    @classmethod
    def make(cls, settings: dict[str, Any], num_rows: int) -> Self:
        """Make a model of plain settings; raises ValidationError for wrong ones."""
        return cls(cls.settings_type.model_validate(settings), num_rows)  # type: ignore[call-arg]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a folder written by `save`."""
        about = read_about(folder)
        model = cls.make(about["settings"], about["num_rows"])
        model.load_state_dict(load_file(folder / WEIGHTS))
        return model
