"""The registered model: MLflow stores this file and the model folder, and runs it where the model is loaded.

Nothing is pickled: the weights are safetensors, the item index is Parquet, and the code is this text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow as pa

from sequoia.recommend.lists import cut
from sequoia.recommend.served_model import ServedModel

ARTIFACT = "model"
DEFAULT_K = 10


class NextItemModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """Raw item ids in, raw item ids out."""

    def load_context(self, context: Any) -> None:
        """Open the model folder."""
        self._model = ServedModel(Path(context.artifacts[ARTIFACT]))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Recommend the k best unseen items for each row.

        model_input: column `items`, the history of a user as raw item ids, oldest first; unknown ids are
        passed over, and a history without a known id gets the most popular items. Returns `items` and
        `scores`, best first.
        """
        k = int((params or {}).get("k", DEFAULT_K))
        if k < 1:
            raise ValueError(f"k is {k}, must be at least 1")
        given = pa.array([list(history) for history in model_input["items"]], pa.list_(pa.string()))
        found = self._model.recommend(cut(self._model.rows_of(given.flatten()), given), k)
        rows = [rows[rows > 0] for rows in found.rows_BK]
        return pd.DataFrame(
            {
                "items": [self._model.items_of(kept).to_pylist() for kept in rows],
                "scores": [
                    scores[: len(kept)].astype("float64").tolist()
                    for scores, kept in zip(found.scores_BK, rows, strict=True)
                ],
            },
            index=model_input.index,
        )


mlflow.models.set_model(NextItemModel())
