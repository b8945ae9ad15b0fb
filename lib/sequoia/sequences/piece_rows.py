"""What one piece becomes: sequences, sessions, the events that train and their counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.arrays import load, save
from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.order import Integers
from sequoia.buckets.pieces import Range
from sequoia.buckets.shuffle import Report
from sequoia.sequences.core import load_flags
from sequoia.sequences.encode import load_events, numbered_items
from sequoia.sequences.histories import Cuts, cap, choose, positions, sequence_rows
from sequoia.sequences.sessions import session_rows
from sequoia.sequences.settings import SequencesSettings
from sequoia.sequences.training_rows import MIN_EVENTS, leave_trained
from sequoia.sequences.vocabulary import rows_of_items
from sequoia.tables.parts import Target, write_part


@dataclass(frozen=True, kw_only=True)
class PieceRows:
    """One task: an encoded piece with its users of the core, and what is the same for all pieces."""

    range: Range
    piece: Report
    users: str
    core_items: str
    items: str
    rows: str
    seed: int
    cuts: Cuts
    settings: SequencesSettings
    folder: str
    targets: dict[str, Target]


def write_piece(task: PieceRows) -> Report:
    """Write the rows of sequences and sessions, and leave those that train."""
    events = load_events(task.piece)
    ids = numbered_items(task.items)[1]
    protocol, name = task.settings.split, task.range.name
    whole = choose(events, load_flags(task.users), load_flags(task.core_items))
    chosen = cap(whole, protocol, task.cuts, task.settings.max_events)
    trained = positions(chosen, task.cuts)["loo_train" if protocol == "leave-one-out" else "time_train"]
    rows = rows_of_items(task.rows)
    names = one_chunk(load(task.piece["users"]).column("key"))
    sessions = session_rows(events, names, ids, gap_minutes=task.settings.session_gap_minutes)
    place = np.arange(len(chosen.items)) - np.repeat(chosen.bounds[:-1], np.diff(chosen.bounds))
    trains = place < np.repeat(trained, np.diff(chosen.bounds))
    counted = _counted(rows[chosen.items[trains]], chosen.times[trains])
    return {
        "sequences": _part(sequence_rows(chosen, ids, task.cuts), task, "sequences"),
        "sessions": _part(sessions, task, "sessions"),
        "counts": save(counted, task.folder, f"counts-{name}"),
        "cut_histories": int((np.diff(whole.bounds) > np.diff(chosen.bounds)).sum()),
        "cut_events": len(whole.items) - len(chosen.items),
        "kept": len(chosen.items),
        "training": leave_trained(
            chosen,
            trained,
            rows,
            window=task.settings.max_length + 1,
            shards=task.settings.shards,
            seed=task.seed,
            folder=task.folder,
            name=name,
        ),
        "training_rows": int((trained >= MIN_EVENTS).sum()),
    }


def _counted(rows: npt.NDArray[np.int32], times: Integers) -> pa.Table:
    """Count the training events of each vocabulary row that has any, and find the first one's time."""
    counts = np.bincount(rows)
    first = np.full(len(counts), np.iinfo(np.int64).max)
    np.minimum.at(first, rows, times)
    taken = np.flatnonzero(counts)
    return pa.table({"row": taken, "events": counts[taken], "first_time": first[taken]})


def _part(rows: pa.Table, task: PieceRows, table: str) -> Report | None:
    if not len(rows):
        return None
    few = ["ratings.list.element"] if table == "sequences" else []
    return write_part(rows, task.targets[table], name=task.range.name, dictionaries=few).to_json()
