"""The users to evaluate: their items and the target of both splits, beside stored candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.pieces import overlapping
from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.buckets.sizes import bounds_of_share, shares_of
from sequoia.errors import UserError
from sequoia.road.stage import Context
from sequoia.sequences.held_out import HELD_OUT, Protocol, Split, history_lengths, target_places
from sequoia.splitmix64 import stream_keys
from sequoia.tables.parts import Part, read_columns, read_groups, read_rows, rows_of_file

SPLITS: tuple[Split, ...] = ("valid", "test")
SAMPLERS = ("uniform", "popularity")
STORED = {"target": pa.int32(), "seed": pa.int64(), "candidates": pa.list_(pa.int32())}
SAMPLE = 6 << 32  # the purpose of the hash that draws users
SHARE = 100_000  # targets of a task: it holds what all models make of them
BATCH = 10_000
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which held-out events are ranked.

    every: all events of a span, or the first one of each user. share: of the users, drawn by the seed.
    """

    protocol: Protocol
    every: bool
    share: float
    seed: int

    @staticmethod
    def of_all_users(context: Context) -> Asked:
        """Return what the settings ask for, of every user."""
        config = context.config
        every = config.evaluate.targets == "all"
        return Asked(protocol=config.sequences.split, every=every, share=1.0, seed=config.seed)

    def targets(self, split: Split, rows: pa.Table) -> tuple[Places, Places, Places]:
        """Return of each target the row, its place in it from 0, and its number in the span from 1."""
        row, place = target_places(split, self.protocol, rows)
        number = place - history_lengths(split, self.protocol, rows)[row] + 1
        users = rows.column("user_id").to_numpy()
        drawn = stream_keys(self.seed, users, SAMPLE) < np.uint64(min(self.share, 1 - 2**-53) * 2.0**64)
        kept = (drawn | (self.share >= 1))[row] & (self.every | (number == 1))
        return row[kept], place[kept], number[kept]


@dataclass(frozen=True, kw_only=True)
class Share:
    """One of several equal shares of the users in a file of sequences.

    negatives: the files that may hold candidates of these users.
    """

    part: Part
    number: int
    of: int
    negatives: tuple[Part, ...]
    asked: Asked

    def sequences(self, columns: list[str]) -> pa.Table:
        """Read columns of the share's rows."""
        bounds = bounds_of_share(rows_of_file(self.part.path), self.number, self.of)
        return read_rows(self.part.path, columns, *bounds)


def held_out_shares(context: Context) -> tuple[list[Share], dict[Split, int]]:
    """Return shares of all users, and the number of held-out events of each split that are ranked.

    Raises UserError when a split has none, or when the negatives are of other sequences.
    """
    tables, config = context.tables, context.config
    parts = tables.files("sequences", written_by="sequences")
    wanted, users = config.evaluate.users, sum(part.rows for part in parts)
    share = 1.0 if wanted is None else wanted / max(users, 1)
    asked = replace(Asked.of_all_users(context), share=share)
    counted = map_tasks(context.spark, parts, partial(_count, asked=asked))
    held_out: dict[Split, int] = {split: sum(one[split] for one in counted) for split in SPLITS}
    more = ", a larger evaluate.users" if wanted else ""
    for split, events in held_out.items():
        if not events:
            raise UserError(
                f"no user has a held-out event in split {split} under sequences.split = {asked.protocol}: "
                f"take more data, a lower sequences.k{more} or leave-one-out"
            )
    tables.check_made_from("negatives", ["sequences", "vocabulary"])
    negatives = tables.files("negatives", written_by="negatives")
    cores = context.spark.sparkContext.defaultParallelism
    shares = []
    for part, of in zip(parts, shares_of([one["targets"] for one in counted], SHARE, cores), strict=True):
        stored = tuple(overlapping(part, negatives))
        shares += [
            Share(part=part, number=number, of=of, negatives=stored, asked=asked) for number in range(of)
        ]
    return shares, held_out


def _count(part: Part, *, asked: Asked) -> Report:
    """Count the targets in a file of sequences, of each split and of the one with more."""
    rows = read_columns(part.path, [column for column in HELD_OUT if column != "items"])
    counts: Report = {split: len(asked.targets(split, rows)[0]) for split in SPLITS}
    return {"targets": max(counts.values()), **counts}


def read_batches(share: Share, columns: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield (user_id, split, items, columns, place, number, and of each sampler _target, _seed, candidates).

    A row is a target: items are item_index ids, oldest first, the target that at `place`, from 0; number: of
    the target among those of its user and split, from 1; columns: what else is known of the events.
    Candidates and their targets are vocabulary rows, null for users of whom none are stored. A batch is of
    one split.
    """
    rows = share.sequences([*HELD_OUT, *columns])
    size = BATCH // 10 if share.asked.every else BATCH  # a long history comes with each of its targets
    for split in SPLITS:
        row, place, number = share.asked.targets(split, rows)
        users = rows.column("user_id").take(pa.array(np.unique(row)))
        stored = {sampler: _stored(share, split, sampler, users) for sampler in SAMPLERS}
        for start in range(0, len(row), size):
            part = slice(start, start + size)
            batch = rows.select(["user_id", "items", *columns]).take(pa.array(row[part]))
            whole = {name: one_chunk(batch.column(name)) for name in batch.column_names}
            whole |= {
                "place": pa.array(place[part], pa.int32()),
                "number": pa.array(number[part], pa.int32()),
                "split": pa.array([split] * len(batch), pa.string()),
            }
            for sampler, candidates in stored.items():
                whole |= _of_users(candidates, sampler, whole["user_id"])
            yield pa.RecordBatch.from_pydict(whole)


def _stored(share: Share, split: Split, sampler: str, users: pa.ChunkedArray) -> pa.Table:
    """Return the stored candidates of these users, by user."""
    of = {"split": split, "sampler": sampler}
    schema = pa.schema([("user_id", pa.int64()), *STORED.items()])
    found = [schema.empty_table()]
    for part in share.negatives:
        for rows in read_groups(part.path, schema.names) if part.partition == of else ():
            mine = pc.is_in(rows.column("user_id"), value_set=one_chunk(users))
            found.append(rows.filter(mine).cast(schema))
    return pa.concat_tables(found).sort_by("user_id")


def _of_users(stored: pa.Table, sampler: str, users: pa.Array) -> dict[str, pa.Array]:
    """Return the columns of the rows of these users, null for one without a row."""
    known, wanted = stored.column("user_id").to_numpy(), users.to_numpy()
    places = np.searchsorted(known, wanted)
    missing = np.append(known, -1)[places] != wanted
    chosen = pa.array(places, mask=missing)
    return {
        sampler if name == "candidates" else f"{sampler}_{name}": one_chunk(stored.column(name)).take(chosen)
        for name in STORED
    }
