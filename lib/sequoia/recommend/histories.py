"""The histories to recommend from: all users of the interactions, in the order that training used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.order import run_starts
from sequoia.buckets.pieces import Range
from sequoia.ingest.pieces import read_piece
from sequoia.sequences.moments import first_only, order_moments
from sequoia.sequences.settings import SequencesSettings
from sequoia.tables.parts import Part

HISTORIES = "user STRING, history ARRAY<STRING>"
USERS = 2000  # of a batch


def user_histories(
    spark: SparkSession, pieces: Mapping[Range, Part], settings: SequencesSettings, *, seed: int
) -> DataFrame:
    """Return (user, history ARRAY<STRING> of raw item ids, oldest first) for every user, k-core or not.

    Events of one moment follow sequences.ties; with sequences.repeats = first, later repeats are left out.
    """
    parts = list(pieces.values())
    # Of few pieces each is read by several tasks, a share of its users each: no core is idle.
    shares = -(-spark.sparkContext.defaultParallelism // max(1, len(parts)))
    tasks = [(part, share) for part in parts for share in range(shares)]

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                part, share = tasks[number]
                yield from histories_of(part, settings, seed, share, shares)

    return spark.range(0, len(tasks), 1, max(1, len(tasks))).mapInArrow(read, HISTORIES)


def histories_of(
    part: Part, settings: SequencesSettings, seed: int, share: int, shares: int
) -> Iterator[pa.RecordBatch]:
    """Yield the histories of a share of a piece's users, in batches."""
    rows = read_piece(part, ["user", "item", "time"])
    rows = rows.slice(0, len(rows) - rows.column("user").null_count)  # those of nobody come last
    user, item = one_chunk(rows.column("user")), one_chunk(rows.column("item"))
    codes, items = user.indices.to_numpy(), item.indices.to_numpy()
    times = rows.column("time").to_numpy()
    order = order_moments(user, item, times, ties=settings.ties, seed=seed)
    if settings.repeats == "first":
        order = first_only(order, codes, items)
    bounds = np.append(np.flatnonzero(run_starts(codes[order])), len(order))
    users = len(bounds) - 1
    first, last = users * share // shares, users * (share + 1) // shares
    for start in range(first, last, USERS):
        ends = bounds[start : min(start + USERS, last) + 1]
        of = order[ends[0] : ends[-1]]
        history = pa.ListArray.from_arrays(
            pa.array(ends - ends[0], pa.int32()), item.dictionary.take(pa.array(items[of]))
        )
        names = user.dictionary.take(pa.array(codes[order[ends[:-1]]]))
        yield pa.RecordBatch.from_arrays([names, history], names=["user", "history"])
