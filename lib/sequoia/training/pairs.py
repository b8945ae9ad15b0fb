"""Ordered item pairs of training sequences, counted in Spark: the counting model's statistics.

Pairs are counted inside each Arrow batch with numpy and summed by one shuffle of the distinct pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SCHEMA = "item INT, next_item INT, distance INT, pairs BIGINT"


def count_pairs(training: DataFrame, window: int) -> DataFrame:
    """Return (item, next_item, distance, pairs) over all training rows for distances 1..window."""

    def partial(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            items = batch.column("items")
            yield from _batch_pairs(items.flatten().to_numpy().reshape(len(items), -1), window)

    counted = training.select("items").mapInArrow(partial, SCHEMA)
    return counted.groupBy("item", "next_item", "distance").agg(F.sum("pairs").alias("pairs"))


def _batch_pairs(items_BL: NDArray[np.int32], window: int) -> Iterator[pa.RecordBatch]:
    for distance in range(1, min(window, items_BL.shape[1] - 1) + 1):
        earlier, later = items_BL[:, :-distance].ravel(), items_BL[:, distance:].ravel()
        real = earlier > 0
        key, pairs = np.unique(earlier[real].astype(np.int64) << 32 | later[real], return_counts=True)
        columns = [
            pa.array((key >> 32).astype(np.int32)),
            pa.array((key & 0xFFFFFFFF).astype(np.int32)),
            pa.array(np.full(len(key), distance, dtype=np.int32)),
            pa.array(pairs.astype(np.int64)),
        ]
        yield pa.RecordBatch.from_arrays(columns, ["item", "next_item", "distance", "pairs"])
