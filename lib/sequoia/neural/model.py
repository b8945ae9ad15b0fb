"""What every neural model has in common: a table of items, preferences from states, and its folder.

A model says how events become states (`encode`); the training loop and inference follow from that.

Shape letters: T events of a batch, D width.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sequoia.modelling.features import NO_FEATURES, FeatureSettings
from sequoia.modelling.folder import FEATURES, WEIGHTS, read_about, write_about
from sequoia.modelling.histories import Histories
from sequoia.modelling.item_index import ItemIndex
from sequoia.neural.batch import Batch, batch_of_histories
from sequoia.neural.features import EventFeatures, ItemFeatures
from sequoia.neural.item_table import ItemTable
from sequoia.neural.preferences import TablePreferences, TiledPreferences
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
        self.features = NO_FEATURES
        self.event_features: EventFeatures | None = None

    def add_features(self, features: FeatureSettings, index: ItemIndex) -> None:
        """Let it know features of the index's items, and of events."""
        self.features = features
        if features.items:
            self.table.features = ItemFeatures(features.items, index, self.table.width)
        if features.events:
            self.event_features = EventFeatures(features.events, self.table.width)

    @property
    def event_columns(self) -> list[str]:
        """Return which columns of histories it looks at beside the items."""
        return self.features.event_columns

    @property
    def num_rows(self) -> int:
        """Return the number of vocabulary rows, padding and unknown included."""
        return self.table.num_rows

    def inputs(self, batch: Batch) -> Tensor:
        """Return what is read of each event (T, D): the vector of its item, and its features'."""
        items_TD = self.table.rows(batch.items_T)
        return items_TD if self.event_features is None else items_TD + self.event_features(batch.features)

    @abstractmethod
    def encode(self, batch: Batch) -> Tensor:
        """Return a state (T, D) for each event: of it and of what came before it in its sequence.

        With the batch's keys it is trained, and drops out by them.
        """

    @torch.inference_mode()
    def preferences(self, histories: Histories) -> TiledPreferences:
        """Return what it makes of histories of known items, none of them empty, the newest max_length.

        A model that looks at history and candidate together returns CandidatePreferences instead.
        """
        batch = batch_of_histories(histories, self.max_length).to(self.table.device)
        return TablePreferences(self.encode(batch)[batch.newest], self.table)

    def save(self, folder: Path, *, extra: dict[str, Any]) -> None:
        """Write model.json (with `extra` plain values) and weights.safetensors beside the item index."""
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(weights, folder / WEIGHTS)
        write_about(folder, self, self.settings.model_dump(), {FEATURES: self.features.model_dump(), **extra})

    @classmethod
    def make(cls, settings: dict[str, Any], num_rows: int) -> Self:
        """Make a model of plain settings; raises ValidationError for wrong ones."""
        return cls(cls.settings_type.model_validate(settings), num_rows)  # type: ignore[call-arg]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a folder written by `save`."""
        about = read_about(folder)
        model = cls.make(about["settings"], about["num_rows"])
        features = FeatureSettings.model_validate(about[FEATURES])
        if features != NO_FEATURES:
            model.add_features(features, ItemIndex.read(folder))
        model.load_state_dict(load_file(folder / WEIGHTS))
        return model
