"""Sessions: a user's events cut wherever the gap to the event before is longer than the setting.

The `user` of an interaction is the visitor key: an account, or the cookie of a log that knows no accounts.
Events without one belong to no session. Times that are whole days give one session per day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.sequences.histories import sort_by_user
from sequoia.sequences.sorted_users import list_column, run_starts, whole_users

# A session of one event has no next item to learn from.
MIN_EVENTS = 2

SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        ("number", pa.int64()),
        ("items", pa.list_(pa.int64())),
        ("times", pa.list_(pa.int64())),
        ("length", pa.int32()),
    ]
)
SPARK_SCHEMA = "user_id BIGINT, number BIGINT, items ARRAY<BIGINT>, times ARRAY<BIGINT>, length INT"


def visit_rows(events: DataFrame, users: DataFrame, *, gap_minutes: int) -> DataFrame:
    """Build the rows of the sessions table from indexed events and (user, user_id)."""
    columns = events.select("user_id", "time", "tie", "item_id")
    visits = sort_by_user(columns).mapInArrow(arrow_visits(gap=gap_minutes * 60_000), SPARK_SCHEMA)
    key = F.concat_ws(":", "user", F.col("number").cast("string")).alias("session")
    return visits.join(users, on="user_id", how="inner").select(key, "items", "times", "length")


def arrow_visits(*, gap: int) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a mapInArrow function from sorted events to sessions of two events or more; `gap` in ms."""

    def visits_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for events in whole_users(batches):
            yield cut_visits(events, gap=gap)

    return visits_of


def cut_visits(events: pa.Table, *, gap: int) -> pa.RecordBatch:
    """Turn whole users' sorted events into sessions, numbered per user from 1 (short ones count, too)."""
    users, times = events["user_id"].to_numpy(), events["time"].to_numpy()
    starts = np.concatenate([[True], (users[1:] != users[:-1]) | (np.diff(times) > gap)])
    bounds = np.append(np.flatnonzero(starts), len(users))
    lengths = np.diff(bounds)
    owners = users[bounds[:-1]]
    first_visit = run_starts(owners)
    numbers = np.arange(len(owners)) - np.repeat(first_visit[:-1], np.diff(first_visit)) + 1
    long = lengths >= MIN_EVENTS
    kept = events.filter(pa.array(np.repeat(long, lengths)))
    offsets = np.concatenate([[0], np.cumsum(lengths[long])])
    columns = [
        pa.array(owners[long], pa.int64()),
        pa.array(numbers[long], pa.int64()),
        list_column(kept["item_id"], offsets),
        list_column(kept["time"], offsets),
        pa.array(lengths[long], pa.int32()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
