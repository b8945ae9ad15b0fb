"""The registered model: MLflow stores this file, the modules that it imports and the model folder.

Nothing is pickled: the weights are safetensors, the item index is Parquet, and the code is this text. A
mistake in a request raises MlflowException with INVALID_PARAMETER_VALUE, which becomes HTTP status 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from mlflow.exceptions import MlflowException

from sequoia.modelling.histories import EVENT_FEATURES
from sequoia.modelling.recommender import Recommender
from sequoia.recommend.lists import histories_of

ARTIFACT = "model"
DEFAULT_K = 10


class NextItemModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """Raw item ids in, raw item ids out."""

    def load_context(self, context: Any) -> None:
        """Open the model folder, and answer once so that the first request finds everything in place."""
        self._recommender = Recommender.read(Path(context.artifacts[ARTIFACT]))
        first = self._recommender.index.items[0].as_py()
        self._answer(pa.array([[first]], pa.list_(pa.string())), DEFAULT_K, hide=True)

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Recommend the k best items for each row; those of its history only where hide_seen is false.

        model_input: column `items`, the history of a user as raw item ids, oldest first; unknown ids are
        passed over, and a history without a known id, empty or null, gets the most popular items. `times`
        (milliseconds since 1970) and `ratings` (stars) of the same events, where the model looks at them, are
        unknown without a column or where they are 0. Returns `items` and `scores`, best first; fewer than
        k where the model knows no more.
        """
        given = (params or {}).get("hide_seen")
        hide = True if given is None else bool(given)
        histories = _histories(model_input)
        columns = _columns(model_input, self._recommender.event_columns, histories)
        answer = self._answer(histories, _number_of_items(params), hide=hide, columns=columns)
        return pd.DataFrame(answer, index=model_input.index)

    def _answer(
        self,
        histories: pa.ListArray,
        k: int,
        *,
        hide: bool,
        columns: Mapping[str, pa.ListArray] | None = None,
    ) -> dict[str, list[Any]]:
        index = self._recommender.index
        found = self._recommender.recommend(histories_of(index, histories, columns), k, hide=hide).best
        rows = [rows[rows > 0] for rows in found.rows_BK]
        return {
            "items": [index.items_of(kept).to_pylist() for kept in rows],
            "scores": [
                scores[: len(kept)].astype(np.float64).tolist()
                for scores, kept in zip(found.scores_BK, rows, strict=True)
            ],
        }


def _histories(model_input: pd.DataFrame) -> pa.ListArray:
    if "items" not in model_input.columns:
        raise MlflowException.invalid_parameter_value(
            "column items is missing: send in it a list of raw item ids for each row, oldest first"
        )
    lists = [None if history is None else list(history) for history in model_input["items"]]
    return pa.array(lists, pa.list_(pa.string()))


def _columns(
    model_input: pd.DataFrame, wanted: list[str], histories: pa.ListArray
) -> dict[str, pa.ListArray]:
    """Return what is told of the events, as far as the model looks at it."""
    found = {}
    lengths = pc.fill_null(pc.list_value_length(histories), 0)
    for name in (name for name in wanted if name in model_input.columns):
        kind = pa.list_(pa.from_numpy_dtype(EVENT_FEATURES[name]))
        lists = [
            [0] * length if values is None else list(values)
            for values, length in zip(model_input[name], lengths.to_pylist(), strict=True)
        ]
        found[name] = pa.array(lists, kind, from_pandas=True)
        if pc.list_value_length(found[name]) != lengths:
            raise MlflowException.invalid_parameter_value(
                f"{name} and items differ in length: send one value for each item, 0 for an unknown one"
            )
    return found


def _number_of_items(params: dict[str, Any] | None) -> int:
    given = (params or {}).get("k")
    k = DEFAULT_K if given is None else int(given)
    if k < 1:
        raise MlflowException.invalid_parameter_value(f"k is {k}: ask for at least 1 item")
    return k


mlflow.models.set_model(NextItemModel())
