"""One row per user: the newest events as arrays, and the positions where each split cuts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from sequoia.sequences.indexed_events import EVENT_ORDER
from sequoia.sequences.sorted_users import list_column, run_starts, whole_users

ARRAYS = {
    "items": ("item_id", pa.int64()),
    "times": ("time", pa.int64()),
    "ratings": ("rating", pa.float32()),
    "categories": ("category", pa.int32()),
    "brands": ("brand", pa.int32()),
    "price_buckets": ("price_bucket", pa.int32()),
}
POSITIONS = ("length", "loo_train", "time_train", "time_valid")

SCHEMA = pa.schema(
    [("user_id", pa.int64())]
    + [(name, pa.list_(kind)) for name, (_, kind) in ARRAYS.items()]
    + [(name, pa.int32()) for name in POSITIONS]
)
SPARK_SCHEMA = (
    "user_id BIGINT, items ARRAY<BIGINT>, times ARRAY<BIGINT>, ratings ARRAY<FLOAT>, categories ARRAY<INT>, "
    "brands ARRAY<INT>, price_buckets ARRAY<INT>, length INT, loo_train INT, time_train INT, time_valid INT"
)

# Leave-one-out takes two events; a shorter history trains as a whole and nothing of it is held out.
HELD_OUT_EVENTS = 2


def user_histories(sorted_events: DataFrame, *, cuts: tuple[int, int], max_events: int) -> DataFrame:
    """Build the rows of the sequences table from the result of `sort_by_user`.

    `cuts` are the validation and the test cut in milliseconds; of longer histories the newest max_events
    stay.
    """
    return sorted_events.mapInArrow(arrow_histories(cuts=cuts, max_events=max_events), SPARK_SCHEMA)


def sort_by_user(events: DataFrame) -> DataFrame:
    """Bring each user's events together, in the order of EVENT_ORDER."""
    return events.repartition("user_id").sortWithinPartitions("user_id", *EVENT_ORDER)


def arrow_histories(
    *, cuts: tuple[int, int], max_events: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the mapInArrow function behind `user_histories`."""

    def histories_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for events in whole_users(batches):
            yield history_rows(events, cuts=cuts, max_events=max_events)

    return histories_of


def history_rows(events: pa.Table, *, cuts: tuple[int, int], max_events: int) -> pa.RecordBatch:
    """Turn whole users' sorted events into one row per user."""
    bounds = run_starts(events["user_id"].to_numpy())
    lengths = np.diff(bounds)
    kept = np.minimum(lengths, max_events)
    if (kept < lengths).any():
        age = np.repeat(bounds[1:], lengths) - np.arange(len(events))  # 1 is a user's newest event
        events = events.filter(pa.array(age <= max_events))
    offsets = np.concatenate([[0], np.cumsum(kept)])
    times = events["time"].to_numpy()
    columns: list[Any] = [events["user_id"].take(pa.array(offsets[:-1])).combine_chunks()]
    columns += [list_column(events[source], offsets) for source, _ in ARRAYS.values()]
    positions = [kept, leave_one_out(kept), *(events_before(cut, times, offsets) for cut in cuts)]
    columns += [pa.array(position, pa.int32()) for position in positions]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def leave_one_out(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many events train: all but two, or all where there are fewer than three."""
    return np.where(lengths > HELD_OUT_EVENTS, lengths - HELD_OUT_EVENTS, lengths)


def events_before(
    cut: int, times: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return for each user the number of events before the cut."""
    early = np.concatenate([[0], np.cumsum(times < cut)])
    return np.diff(early[offsets])
