"""A trained SasRec as a scorer: loads from and writes to a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from sequoia.models.sasrec import SasRec
from sequoia.models.sasrec_settings import SasRecSettings
from sequoia.neural.batch import make_batch


class SasRecScorer:
    """Scores all items by the product of user state and item vectors."""

    def __init__(self, model: SasRec) -> None:
        self._model = model
        self.num_rows = model.table.num_rows
        self.max_length = model.settings.max_length

    @torch.inference_mode()
    def scores(self, histories_BL: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score histories (B, L) of vocabulary rows; returns (B, num_rows) float32, rows 0 and 1 are -inf."""
        newest_BL = histories_BL[:, -self.max_length :].astype(np.int64)
        present_BL = newest_BL > 0
        lengths_B = present_BL.sum(axis=1)
        table = self._model.table
        states_BD = torch.zeros(len(newest_BL), table.width, device=table.device)
        batch = make_batch(newest_BL[present_BL], lengths_B[lengths_B > 0], self.max_length).to(table.device)
        states_BD[torch.from_numpy(lengths_B > 0)] = self._model.encode(batch)[batch.newest]
        return table.scores(states_BD).cpu().numpy()

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
