"""What a Spark worker does with a batch of histories of raw item ids: the top items of each user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa

from sequoia.local_files import local_copy
from sequoia.recommend.lists import cut, kept_lists
from sequoia.recommend.served_model import ServedModel, open_served_model
from sequoia.storage import Location

RECOMMENDED = pa.schema(
    [
        ("user", pa.string()),
        ("items", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float32())),
        ("basis", pa.string()),
    ]
)
RECOMMENDED_SPARK = "user STRING, items ARRAY<STRING>, scores ARRAY<FLOAT>, basis STRING"


def recommending_function(
    folder: Location, k: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the mapInArrow function: (user, history of raw ids, oldest first) in, RECOMMENDED_SPARK out."""

    def recommend(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = open_served_model(local_copy(folder))
        for batch in batches:
            yield recommend_users(model, batch, k)

    return recommend


def recommend_users(model: ServedModel, batch: pa.RecordBatch, k: int) -> pa.RecordBatch:
    """Recommend to the users of a batch."""
    history = batch["history"]
    found = model.recommend(cut(model.rows_of(history.flatten()), history), k)
    kept_BK = found.rows_BK > 0
    columns = [
        batch["user"],
        kept_lists(model.items_of(found.rows_BK[kept_BK]), kept_BK),
        kept_lists(pa.array(found.scores_BK[kept_BK]), kept_BK),
        pa.array(np.where(found.known_B, "sequence", "popular").tolist(), pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RECOMMENDED)
