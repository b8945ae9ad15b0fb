"""Which of today's test targets a model was trained on: on those its rank is worth nothing.

A champion from last month may have been trained under another split, another k, or on data that were erased
since. Four ways to tell, from the cheapest: it was trained on the very version of `sequences` that is
tested; all of its training events are older than the first test target; the version it was trained on can
still be read, and each test target is looked for among the user's training events there; or the data were
left-one-out by the same settings and have only grown since, so that a user's last event cannot lie before
the user's last event of then (the k-core grows with the data). Where none holds, it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.pieces import overlapping
from sequoia.evaluate.users import Share
from sequoia.models.trained_on import TrainedOn
from sequoia.road.stage import Context
from sequoia.sequences.held_out import HELD_OUT, Protocol, history_lengths, training_lengths
from sequoia.sequences.identity import current_sequences
from sequoia.tables.gone import reason_gone
from sequoia.tables.parts import Part, read_groups

Integers = npt.NDArray[np.int64]
NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """How to tell of a model: `files` are the sequences of then to look into; without any, nobody leaked."""

    told: bool
    files: tuple[Part, ...] = ()
    protocol: Protocol = "leave-one-out"


def find_leaks(context: Context, models: Mapping[str, TrainedOn | None]) -> dict[str, Leaks]:
    """Return for each model how it is told which test targets it was trained on."""
    now = current_sequences(context)
    return {name: _how_to_tell(context, origin, now) for name, origin in models.items()}


def _how_to_tell(context: Context, origin: TrainedOn | None, now: TrainedOn) -> Leaks:
    if origin is None:
        return Leaks(told=False)
    same_split = origin.split == now.split
    is_today = (origin.table, origin.version) == (now.table, now.version) and same_split
    if is_today or origin.newest_training < now.first_target:
        return Leaks(told=True)
    if origin.table == now.table:
        files = _files_of_then(context, origin)
        if files is not None:
            return Leaks(told=True, files=files, protocol=origin.split["split"])
    grown = origin.newest <= now.newest and origin.events <= now.events
    return Leaks(told=same_split and grown and origin.split["split"] == "leave-one-out")


def _files_of_then(context: Context, origin: TrainedOn) -> tuple[Part, ...] | None:
    """Return the files of the sequences that a model was trained on; None when they are gone."""
    try:
        context.tables.check_files("sequences", origin.version)
        return tuple(context.tables.files_at("sequences", origin.version))
    except Exception as error:
        if reason_gone(error) is None:
            raise
        return None


def leaked_users(share: Share, leaks: Leaks) -> Integers:
    """Return the users of a share whose test target trained the model, ascending."""
    files = overlapping(share.part, leaks.files)
    if not files:
        return NOBODY
    users, items, times = _test_targets(share)
    leaked = np.zeros(len(users), dtype=bool)
    for rows in _rows_of(files):
        then = rows.column("user_id").to_numpy()
        places = np.minimum(np.searchsorted(users, then), max(len(users) - 1, 0))
        both = users[places] == then if len(users) else np.zeros(len(then), dtype=bool)
        chosen, at = rows.filter(pa.array(both)), places[both]
        lengths = training_lengths(leaks.protocol, chosen)
        # An item at a moment is one event: duplicates by (user, item, time) were resolved by ingest.
        of = np.repeat(at, lengths)
        is_target = _first(chosen.column("items"), lengths) == items[of]
        is_target &= _first(chosen.column("times"), lengths) == times[of]
        leaked[of[is_target]] = True
    found: Integers = users[leaked]
    return found


def _rows_of(files: list[Part]) -> Iterator[pa.Table]:
    for part in files:
        yield from read_groups(part.path, [*HELD_OUT, "times"])


def _test_targets(share: Share) -> tuple[Integers, Integers, Integers]:
    """Return users, items and times of the test targets, by user."""
    rows = share.sequences([*HELD_OUT, "times"])
    places = history_lengths("test", share.protocol, rows)
    held, places = rows.filter(pa.array(places >= 0)), places[places >= 0]
    users = held.column("user_id").to_numpy()
    order = np.argsort(users)
    values = []
    for name in ("items", "times"):
        lists = one_chunk(held.column(name))
        starts = lists.offsets.to_numpy()[:-1].astype(np.int64) - lists.offsets[0].as_py()
        values.append(lists.flatten().to_numpy()[starts + places][order])
    return users[order], values[0], values[1]


def _first(lists: pa.ChunkedArray, lengths: Integers) -> Integers:
    """Return the first lengths[i] values of every list i, one after the other."""
    whole = one_chunk(lists)
    offsets = whole.offsets.to_numpy().astype(np.int64)
    values = whole.flatten().to_numpy()
    place = np.arange(len(values)) - np.repeat(offsets[:-1] - offsets[0], np.diff(offsets))
    kept: Integers = values[place < np.repeat(lengths, np.diff(offsets))]
    return kept


def leaked_column(leaks: Leaks, leaked: Integers, split: str, users: Integers) -> pa.Array:
    """Return the column `leaked` of ranks: null where it cannot be told; validation never leaks."""
    if split != "test":
        return pa.array(np.zeros(len(users), dtype=bool))
    return pa.array(np.isin(users, leaked)) if leaks.told else pa.nulls(len(users), pa.bool_())
