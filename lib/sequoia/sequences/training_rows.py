"""Training events in the fixed shape that Petastorm stacks: the last max_length + 1, padded on the left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.sequences.held_out import Protocol, training_length
from sequoia.sequences.histories import ARRAYS
from sequoia.sequences.vocabulary_arrays import load_vocabulary

# An input and a target.
MIN_EVENTS = 2

TYPES = {name: kind for name, (_, kind) in ARRAYS.items()} | {"items": pa.int32()}
SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        *[(name, pa.list_(kind)) for name, kind in TYPES.items()],
        ("length", pa.int32()),
    ]
)
SPARK_SCHEMA = (
    "user_id BIGINT, items ARRAY<INT>, times ARRAY<BIGINT>, ratings ARRAY<FLOAT>, categories ARRAY<INT>, "
    "brands ARRAY<INT>, price_buckets ARRAY<INT>, length INT"
)


def training_rows(
    sequences: DataFrame,
    files: tuple[str, ...],
    protocol: Protocol,
    *,
    max_length: int,
    shards: int,
    seed: int,
) -> DataFrame:
    """Build the rows of the training table, one partition per shard, so that each shard becomes one file.

    `files` are the vocabulary's. The order inside a shard is a hash of seed and user, then the user.
    """
    trained = sequences.withColumn("trained", training_length(protocol)).where(F.col("trained") >= MIN_EVENTS)
    window = max_length + 1
    fixed = trained.select("user_id", "trained", *ARRAYS).mapInArrow(
        arrow_windows(files, window), SPARK_SCHEMA
    )
    place = F.xxhash64(F.col("user_id"), F.lit(seed).cast("bigint"))
    placed = fixed.withColumn("place", place).withColumn("shard", F.pmod("place", F.lit(shards)).cast("int"))
    return placed.repartition(shards, "shard").sortWithinPartitions("shard", "place", "user_id")


def arrow_windows(
    files: tuple[str, ...], window: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a mapInArrow function from sequences with `trained` to rows of `window` positions."""

    def windows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        vocabulary = load_vocabulary(files)
        for batch in batches:
            trained = batch["trained"].to_numpy()
            columns = {name: pad_left(batch[name], trained, window) for name in ARRAYS}
            items = columns["items"].astype(np.int64)
            columns["items"] = np.where(items == 0, 0, vocabulary.rows(items))
            lists = [fixed_lists(columns[name], kind) for name, kind in TYPES.items()]
            lengths = pa.array(np.minimum(trained, window), pa.int32())
            yield pa.RecordBatch.from_arrays([batch["user_id"], *lists, lengths], schema=SCHEMA)

    return windows_of


def pad_left(lists: pa.ListArray, ends: npt.NDArray[np.int32], window: int) -> npt.NDArray[np.generic]:
    """Return the last `window` of the first ends[i] values of list i, zeros before: (rows, window)."""
    values = lists.flatten().to_numpy(zero_copy_only=False)
    begins = lists.offsets.to_numpy()[:-1].astype(np.int64) - lists.offsets[0].as_py()
    places = ends[:, None].astype(np.int64) - window + np.arange(window)
    taken = (
        values[np.maximum(begins[:, None] + places, 0)]
        if len(values)
        else np.zeros(places.shape, values.dtype)
    )
    return np.where(places >= 0, taken, values.dtype.type(0))


def fixed_lists(matrix: npt.NDArray[np.generic], kind: pa.DataType) -> pa.ListArray:
    """Turn a (rows, window) array into a list column."""
    rows, window = matrix.shape
    offsets = pa.array(np.arange(rows + 1) * window, pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(matrix.reshape(-1), kind))
