"""Interactions as numbers: of a piece its users, and their events with item numbers, in their order.

Items are numbered 0, 1, ... in the order of their hashes, for this run of the stage alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.arrays import load, save
from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.find import MISSING, find
from sequoia.buckets.groups import Codes, group
from sequoia.buckets.order import Integers
from sequoia.buckets.pieces import Range
from sequoia.buckets.shuffle import Report
from sequoia.buckets.strings import Hashes, hash_strings
from sequoia.index.users_and_items import known_ids
from sequoia.ingest.pieces import read_piece
from sequoia.sequences.moments import Ties, first_only, order_moments
from sequoia.tables.parts import Part, read_columns


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """One task: a piece with the hashes it covers, the index of users, and how to order and choose events."""

    range: Range
    piece: Part
    users: tuple[Part, ...]
    items: str
    ties: Ties
    first_only: bool
    seed: int
    folder: str


@dataclass(frozen=True, kw_only=True)
class Events:
    """Events of some users: user i has those from bounds[i] to bounds[i + 1]."""

    users: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    ratings: npt.NDArray[np.float32]

    @property
    def owners(self) -> Codes:
        """Return the place of each event's user."""
        return np.repeat(np.arange(len(self.users), dtype=np.int32), np.diff(self.bounds))


def number_items(parts: Sequence[Part], folder: str) -> Report:
    """Leave (first, second, id) of all items, in the order of their hashes."""
    names, ids = [], []
    for part in parts:
        rows = read_columns(part.path, ["item", "id"])
        names.append(one_chunk(rows.column("item")))
        ids.append(rows.column("id").to_numpy())
    hashes = [hash_strings(one) for one in names]
    both = Hashes(
        first=np.concatenate([one.first for one in hashes]),
        second=np.concatenate([one.second for one in hashes]),
    )
    found = group(both)
    table = {
        "first": found.hashes.first,
        "second": found.hashes.second,
        "id": np.concatenate(ids)[found.firsts],
    }
    return {"items": save(pa.table(table), folder, "items"), "count": len(found.firsts)}


@lru_cache(maxsize=1)
def numbered_items(path: str) -> tuple[Hashes, Integers]:
    """Return what `number_items` left."""
    table = load(path)
    first, second, ids = (table.column(name).to_numpy() for name in ("first", "second", "id"))
    return Hashes(first=first, second=second), ids


def encode_piece(task: Encoding) -> Report:
    """Leave a piece's users and events as numbers; report rows, and those that the index does not know."""
    rows = read_piece(task.piece, ["user", "item", "time", "rating"])
    known = len(rows) - rows.column("user").null_count
    events = rows.slice(0, known)  # those of nobody come last
    user, item = one_chunk(events.column("user")), one_chunk(events.column("item"))
    numbers = find(numbered_items(task.items)[0], hash_strings(item.dictionary)).astype(np.int32)
    numbers = numbers[item.indices.to_numpy()]
    names, ids = _ids_of(user, task)
    codes = user.indices.to_numpy()
    lost = (numbers == MISSING) | (ids[codes] == MISSING)
    times = events.column("time").to_numpy()
    order = order_moments(user, item, times, ties=task.ties, seed=task.seed)
    if task.first_only:
        order = first_only(order, codes, numbers)
    counts = np.bincount(codes[order], minlength=len(names))
    ratings = pc.fill_null(one_chunk(events.column("rating")), 0.0).to_numpy()
    flat = {"item": numbers[order], "time": times[order], "rating": ratings[order]}
    return {
        "events": save(pa.table(flat), task.folder, f"events-{task.range.name}"),
        "users": save(
            pa.table({"key": names, "id": ids, "events": counts}), task.folder, f"users-{task.range.name}"
        ),
        "rows": len(rows),
        "with_user": known,
        "lost": int(lost.sum()),
        "kept": len(order),
        "distinct": len(names),
    }


def _ids_of(user: pa.DictionaryArray, task: Encoding) -> tuple[pa.StringArray, Integers]:
    known = known_ids(task.users, "user", task.range)
    found = group(hash_strings(one_chunk(known.column("key"))))
    places = find(found.hashes, hash_strings(user.dictionary))
    ids = np.append(known.column("id").to_numpy()[found.firsts], MISSING)
    return user.dictionary, ids[places]


def load_events(report: Report) -> Events:
    """Return what `encode_piece` left."""
    flat, users = load(report["events"]), load(report["users"])
    return Events(
        users=users.column("id").to_numpy(),
        bounds=np.concatenate([[0], np.cumsum(users.column("events").to_numpy())]),
        items=flat.column("item").to_numpy(),
        times=flat.column("time").to_numpy(),
        ratings=flat.column("rating").to_numpy(),
    )
