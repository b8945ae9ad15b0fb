"""The candidate sets of a file of sequences, for both splits and both samplers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.pieces import range_of
from sequoia.buckets.shuffle import Report
from sequoia.config import Config
from sequoia.index.counted import FIRST_ID
from sequoia.modelling.item_index import ItemIndex
from sequoia.negatives.candidates import Drawn, Histories, draw_candidates
from sequoia.negatives.weights import Integers, Sampler
from sequoia.sequences.held_out import HELD_OUT, Protocol, Split, history_lengths
from sequoia.sequences.read_vocabulary import read_vocabulary
from sequoia.splitmix64 import stream_keys
from sequoia.tables.parts import Part, Target, read_columns, write_groups

# What a stream of draws is for: (split, sampler). The place in this list is part of the hash.
PURPOSES: tuple[tuple[Split, str], ...] = (
    ("valid", "uniform"),
    ("valid", "popularity"),
    ("test", "uniform"),
    ("test", "popularity"),
)
USERS = 20_000  # drawn for and written at once


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What the candidates depend on besides the histories; `files` are the vocabulary's."""

    files: tuple[str, ...]
    candidates: int
    alpha: float
    seed: int
    protocol: Protocol


def drawing(config: Config, files: Sequence[str]) -> Drawing:
    """Return what the settings ask for, of the vocabulary in these files."""
    return Drawing(
        files=tuple(files),
        candidates=config.negatives.candidates,
        alpha=config.negatives.alpha,
        seed=config.seed,
        protocol=config.sequences.split,
    )


def draw_sets(
    drawing: Drawing, purpose: int, users: Integers, rows: Integers, offsets: Integers
) -> tuple[Drawn, Integers]:
    """Draw the candidates of users, (vocabulary rows, offsets): the same wherever and whenever it is done.

    purpose: a place in PURPOSES; rows: vocabulary rows of all that a user ever took, user i those from
    offsets[i] to offsets[i + 1].
    """
    alpha = drawing.alpha if PURPOSES[purpose][1] == "popularity" else 0.0
    found, bounds = draw_candidates(
        Histories(users=users, items=rows - FIRST_ID, offsets=offsets),
        load_sampler(drawing.files, alpha),
        count=drawing.candidates,
        seed=drawing.seed,
        purpose=purpose,
    )
    found += np.int32(FIRST_ID)
    return found, bounds


def write_candidates(part: Part, drawing: Drawing, share: float, target: Target) -> Report:
    """Write the candidate sets of a share of the users in a file of sequences.

    Which users is drawn by seed and user. Reports files, users and short sets by purpose.
    """
    span = range_of(part)
    name = span.name if span else "part"  # so that who reads a piece of sequences finds its candidates
    whole = read_columns(part.path, HELD_OUT)
    stored = is_stored(drawing.seed, whole.column("user_id").to_numpy(), share)
    sequences = _in_vocabulary(whole.filter(pa.array(stored)), drawing)
    sets = []
    for purpose, (split, sampler) in enumerate(PURPOSES):
        places = history_lengths(split, drawing.protocol, sequences)
        held = sequences.filter(pa.array(places >= 0))
        report: Report = {"split": split, "sampler": sampler, "users": len(held), "short": 0, "part": None}
        if len(held):
            rows = _Rows(held, places[places >= 0], drawing, purpose)
            written = write_groups(
                rows.tables(), target, name=name, partition={"split": split, "sampler": sampler}
            )
            report |= {"part": written.to_json(), "short": rows.short}
        sets.append(report)
    return {"rows": len(whole), "items": len(_vocabulary(drawing.files)), "sets": sets}


def _in_vocabulary(sequences: pa.Table, drawing: Drawing) -> pa.Table:
    """Return sequences whose items are vocabulary rows."""
    items = one_chunk(sequences.column("items"))
    rows = _vocabulary(drawing.files).rows_of_ids(items.flatten().to_numpy())
    bounds = items.offsets.to_numpy() - (items.offsets[0].as_py() if len(items) else 0)
    lists = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(rows))
    return sequences.set_column(sequences.column_names.index("items"), "items", lists)


class _Rows:
    """The rows of one purpose, made as they are written; `short` counts sets that are not full."""

    def __init__(self, held: pa.Table, places: npt.NDArray[np.int64], drawing: Drawing, purpose: int) -> None:
        self.short = 0
        self._held, self._places, self._drawing, self._purpose = held, places, drawing, purpose

    def tables(self) -> Iterator[pa.Table]:
        for start in range(0, len(self._held), USERS):
            yield self._table(self._held.slice(start, USERS), self._places[start : start + USERS])

    def _table(self, held: pa.Table, places: npt.NDArray[np.int64]) -> pa.Table:
        drawing = self._drawing
        items = one_chunk(held.column("items"))
        offsets = items.offsets.to_numpy().astype(np.int64)
        offsets -= offsets[0]
        rows = items.flatten().to_numpy()
        users = held.column("user_id").to_numpy()
        found, bounds = draw_sets(drawing, self._purpose, users, rows, offsets)
        self.short += int((np.diff(bounds) < drawing.candidates).sum())
        candidates = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(found))
        return pa.table(
            {
                "user_id": users,
                "seed": np.full(len(users), drawing.seed, dtype=np.int64),
                "target": rows[offsets[:-1] + places],
                "candidates": candidates,
            }
        )


def is_stored(seed: int, users: Integers, share: float) -> npt.NDArray[np.bool_]:
    """Say of each user whether its candidates are stored: a share of all users, by a stream of its own."""
    if share >= 1:
        return np.ones(len(users), dtype=bool)
    return stream_keys(seed, users, len(PURPOSES)) < np.uint64(share * 2.0**64)


def _vocabulary(files: tuple[str, ...]) -> ItemIndex:
    return read_vocabulary(files, names=False)


@lru_cache(maxsize=2)
def load_sampler(files: tuple[str, ...], alpha: float) -> Sampler:
    """Build the sampler of a vocabulary once per process."""
    return Sampler.from_counts(_vocabulary(files).events[FIRST_ID:], alpha)
