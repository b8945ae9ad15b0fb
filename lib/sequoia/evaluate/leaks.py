"""Which of today's test targets a model was trained on: on those its rank is worth nothing.

A champion from last month may have been trained under another split, another k, or on data that were erased
since. Four ways to tell, from the cheapest: it was trained on the very version of `sequences` that is
tested; all of its training events are older than the first test target; the version it was trained on can
still be read, and each test target is looked for among the user's training events there; or the data were
left-one-out by the same settings and have only grown since, so that a user's last event cannot lie before
the user's last event of then (the k-core grows with the data). Where none holds, it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.arrays import load, save
from sequoia.buckets.blobs import one_chunk, split
from sequoia.buckets.shuffle import Report, shuffle
from sequoia.evaluate.users import Asked
from sequoia.modelling.trained_on import TrainedOn
from sequoia.road.stage import Context
from sequoia.sequences.held_out import HELD_OUT, Protocol, training_lengths
from sequoia.sequences.identity import current_sequences
from sequoia.splitmix64 import mix
from sequoia.tables.gone import reason_gone
from sequoia.tables.parts import Part, read_groups

Integers = npt.NDArray[np.int64]
EVENT = ["user_id", "item", "time"]
BUCKET_BYTES = 1 << 27  # of files whose users come together in one task


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """Which users' test targets trained a model: told or not; `users` are files of their ids."""

    told: bool
    users: tuple[str, ...] = ()

    def column(self, split: str, users: Integers) -> pa.Array:
        """Return the column `leaked` of ranks: null where it cannot be told; validation never leaks."""
        if split == "test" and not self.told:
            return pa.nulls(len(users), pa.bool_())
        leaked = _load_users(self.users if split == "test" else ())
        return pa.array(leaked[np.searchsorted(leaked, users)] == users)


@lru_cache(maxsize=4)
def _load_users(paths: tuple[str, ...]) -> Integers:
    """Return the users in files, ascending, and one behind all; read once per process."""
    found = [load(path).column("user_id").to_numpy() for path in paths]
    return np.sort(np.concatenate([*found, [np.iinfo(np.int64).max]]))


def find_leaks(context: Context, models: Mapping[str, TrainedOn | None], folder: str) -> dict[str, Leaks]:
    """Return for each model which test targets it was trained on; ids of users are left in a folder."""
    now = current_sequences(context)
    return {name: _found(context, name, origin, now, folder) for name, origin in models.items()}


def _found(context: Context, name: str, origin: TrainedOn | None, now: TrainedOn, folder: str) -> Leaks:
    if origin is None:
        return Leaks(told=False)
    same_split = origin.split == now.split
    is_today = (origin.table, origin.version) == (now.table, now.version) and same_split
    if is_today or origin.newest_training < now.first_target:
        return Leaks(told=True)
    if origin.table == now.table:
        try:
            context.tables.check_files("sequences", origin.version)
            return Leaks(told=True, users=_looked_up(context, name, origin, folder))
        except Exception as error:
            if reason_gone(error) is None:
                raise
    grown = origin.newest <= now.newest and origin.events <= now.events
    return Leaks(told=same_split and grown and origin.split["split"] == "leave-one-out")


def _looked_up(context: Context, name: str, origin: TrainedOn, folder: str) -> tuple[str, ...]:
    """Look for today's test targets among the training events of an older version, in one shuffle by user."""
    tables, asked = context.tables, Asked.of_all_users(context)
    of_then: Protocol = origin.split["split"]
    now = [(part, True) for part in tables.files("sequences")]
    then = [(part, False) for part in tables.files_at("sequences", origin.version)]
    buckets = 1 + sum(part.bytes for part, _ in then) // BUCKET_BYTES

    def send(task: tuple[Part, bool]) -> Iterator[tuple[int, pa.Buffer]]:
        part, is_now = task
        for rows in read_groups(part.path, [*HELD_OUT, "times"]):
            events = _targets(rows, asked) if is_now else _trained(rows, of_then)
            marked = events.append_column("is_target", pa.array(np.full(len(events), is_now)))
            yield from split(marked, mix(events.column("user_id").to_numpy().view(np.uint64)), buckets)

    def meet(bucket: int, received: Iterator[pa.Table]) -> Iterable[Report]:
        rows = pa.concat_tables(received)
        targets, trained = (rows.filter(flags).select(EVENT) for flags in _both(rows.column("is_target")))
        # An item at a moment is one event: duplicates by (user, item, time) were resolved by ingest.
        leaked = targets.join(trained, keys=EVENT, join_type="left semi", use_threads=False)
        yield {"users": save(leaked.select(["user_id"]), folder, f"leaked-{name}-{bucket}")}

    reports = shuffle(context.spark, [*now, *then], send, meet, buckets)
    return tuple(report["users"] for report in reports)


def _both(flags: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    is_target = flags.to_numpy()
    return pa.array(is_target), pa.array(~is_target)


def _targets(rows: pa.Table, asked: Asked) -> pa.Table:
    """Return (user_id, item, time) of the test targets."""
    row, place, _ = asked.targets("test", rows)
    items, times = one_chunk(rows.column("items")), one_chunk(rows.column("times"))
    at = items.offsets.to_numpy()[row] - items.offsets[0].as_py() + place if len(row) else place
    return pa.table(
        {
            "user_id": rows.column("user_id").take(pa.array(row)),
            "item": items.flatten().to_numpy()[at],
            "time": times.flatten().to_numpy()[at],
        }
    )


def _trained(rows: pa.Table, protocol: Protocol) -> pa.Table:
    """Return (user_id, item, time) of the events that train: of every user the first ones."""
    items, times = one_chunk(rows.column("items")), one_chunk(rows.column("times"))
    lengths = np.diff(items.offsets.to_numpy()) if len(rows) else np.zeros(0, np.int64)
    place = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    first = place < np.repeat(training_lengths(protocol, rows), lengths)
    return pa.table(
        {
            "user_id": np.repeat(rows.column("user_id").to_numpy(), lengths)[first],
            "item": items.flatten().to_numpy()[first],
            "time": times.flatten().to_numpy()[first],
        }
    )
