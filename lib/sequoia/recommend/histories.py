"""The histories to recommend from: all users of the interactions, in the order that training used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.order import run_starts
from sequoia.buckets.pieces import Range
from sequoia.buckets.sizes import bounds_of_share, shares_of
from sequoia.buckets.strings import hash_strings
from sequoia.ingest.pieces import read_piece
from sequoia.sequences.moments import first_only, order_moments
from sequoia.sequences.settings import SequencesSettings
from sequoia.tables.parts import Part

SHARE = 4_000_000  # interactions of a task
USERS = 20_000  # of a batch
ITEMS = 2_000_000  # recommended in a batch
SOURCES = {"times": "time", "ratings": "rating"}  # of interactions, for columns of histories


@dataclass(frozen=True, kw_only=True)
class Share:
    """One of several equal shares of the users in a piece of the interactions."""

    part: Part
    number: int
    of: int
    settings: SequencesSettings
    seed: int


def user_shares(pieces: Sequence[Part], settings: SequencesSettings, *, seed: int, cores: int) -> list[Share]:
    """Return shares of all users, so many that no core is idle."""
    counts = shares_of([part.rows for part in pieces], SHARE, cores)
    return [
        Share(part=part, number=number, of=of, settings=settings, seed=seed)
        for part, of in zip(pieces, counts, strict=True)
        for number in range(of)
    ]


def read_histories(share: Share, *, k: int, columns: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield (user, history, columns) in batches: raw item ids, oldest first, of every user, k-core or not.

    Events of one moment follow sequences.ties; with sequences.repeats = first, later repeats are left out.
    k: items that each user is recommended; of many fewer users make a batch. columns: `times`, `ratings`, as
    lists beside the history.
    """
    wanted = {name: SOURCES[name] for name in columns}
    rows = read_piece(share.part, ["user", "item", "time", *sorted({*wanted.values()} - {"time"})])
    rows = rows.slice(0, len(rows) - rows.column("user").null_count)  # those of nobody come last
    user, item = one_chunk(rows.column("user")), one_chunk(rows.column("item"))
    codes, items = user.indices.to_numpy(), item.indices.to_numpy()
    times = rows.column("time").to_numpy()
    order = order_moments(user, item, times, ties=share.settings.ties, seed=share.seed)
    if share.settings.repeats == "first":
        order = first_only(order, codes, items)
    bounds = np.append(np.flatnonzero(run_starts(codes[order])), len(order))
    first, last = bounds_of_share(len(bounds) - 1, share.number, share.of)
    size = max(1, min(USERS, ITEMS // k))
    for start in range(first, last, size):
        ends = bounds[start : min(start + size, last) + 1]
        of = order[ends[0] : ends[-1]]
        lists = {"history": item.dictionary.take(pa.array(items[of]))}
        for name, source in wanted.items():
            lists[name] = one_chunk(rows.column(source)).fill_null(0).take(pa.array(of))
        offsets = pa.array(ends - ends[0], pa.int32())
        batch = {"user": user.dictionary.take(pa.array(codes[order[ends[:-1]]]))}
        batch |= {name: pa.ListArray.from_arrays(offsets, values) for name, values in lists.items()}
        yield pa.RecordBatch.from_pydict(batch)


def history_of(
    user: str, pieces: Mapping[Range, Part], settings: SequencesSettings, *, seed: int
) -> list[str]:
    """Return the history of one user, from the piece that holds it; nothing of an unknown one."""
    [of] = hash_strings(pa.array([user])).first.tolist()
    for part in (part for span, part in pieces.items() if span.first <= of <= span.last):
        share = Share(part=part, number=0, of=1, settings=settings, seed=seed)
        for batch in read_histories(share, k=1):
            place = pc.index(batch["user"], user).as_py()
            if place >= 0:
                history: list[str] = batch["history"][place].as_py()
                return history
    return []
