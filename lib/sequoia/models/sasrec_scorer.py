"""A trained SasRec as a scorer: loads from and writes to a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from sequoia.models.sasrec import FIRST_ITEM_ROW, SasRec
from sequoia.models.sasrec_settings import SasRecSettings


class SasRecScorer:
    """Scores all items by the product of user state and item vectors."""

    def __init__(self, model: SasRec) -> None:
        self._model = model
        self.num_rows = model.items.num_embeddings
        self.max_length = model.settings.max_length

    @torch.inference_mode()
    def scores(self, histories_BL: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score histories (B, L) of vocabulary rows; returns (B, num_rows) float32, rows 0 and 1 are -inf."""
        if self._model.training:  # telling every module costs half a millisecond
            self._model.eval()
        states_BD = self._model.user_state(torch.from_numpy(histories_BL))
        scores_BV = states_BD @ self._model.item_vectors().T
        scores_BV[:, :FIRST_ITEM_ROW] = -torch.inf
        return scores_BV.numpy()

    def save(self, folder: Path, *, extra: dict[str, Any]) -> None:
        """Write model.json (with `extra` plain values) and weights.safetensors beside the item index."""
        weights = {name: tensor.detach().contiguous() for name, tensor in self._model.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")
        about = {
            "kind": "sasrec",
            "settings": self._model.settings.model_dump(),
            "num_rows": self.num_rows,
            "max_length": self.max_length,
            **extra,
        }
        (folder / "model.json").write_text(json.dumps(about), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> SasRecScorer:
        """Load a folder written by `save`."""
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        model = SasRec(SasRecSettings.model_validate(about["settings"]), about["num_rows"])
        model.load_state_dict(load_file(folder / "weights.safetensors"))
        return SasRecScorer(model.eval())
