"""The users to evaluate: their items and the target of both splits, beside stored candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.pieces import overlapping
from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.buckets.sizes import bounds_of_share, shares_of
from sequoia.errors import UserError
from sequoia.road.stage import Context
from sequoia.sequences.held_out import HELD_OUT, Protocol, Split, history_lengths
from sequoia.tables.parts import Part, read_columns, read_groups, read_rows, rows_of_file

SPLITS: tuple[Split, ...] = ("valid", "test")
SAMPLERS = ("uniform", "popularity")
STORED = {"target": pa.int32(), "seed": pa.int64(), "candidates": pa.list_(pa.int32())}
SHARE = 100_000  # users of a task: it holds what all models make of them
BATCH = 10_000


@dataclass(frozen=True, kw_only=True)
class Share:
    """One of several equal shares of the users in a file of sequences.

    negatives: the files that may hold candidates of these users.
    """

    part: Part
    number: int
    of: int
    negatives: tuple[Part, ...]
    protocol: Protocol

    def sequences(self, columns: list[str]) -> pa.Table:
        """Read columns of the share's rows."""
        bounds = bounds_of_share(rows_of_file(self.part.path), self.number, self.of)
        return read_rows(self.part.path, columns, *bounds)


def held_out_shares(context: Context) -> tuple[list[Share], dict[Split, int]]:
    """Return shares of all users, and the number of held-out events of each split.

    Raises UserError when a split has none, or when the negatives are of other sequences.
    """
    tables, protocol = context.tables, context.config.sequences.split
    parts = tables.files("sequences", written_by="sequences")
    counted = map_tasks(context.spark, parts, partial(_count, protocol=protocol))
    held_out: dict[Split, int] = {split: sum(one[split] for one in counted) for split in SPLITS}
    for split, events in held_out.items():
        if not events:
            raise UserError(
                f"no user has a held-out event in split {split} under sequences.split = {protocol}: "
                "take more data, a lower sequences.k or leave-one-out"
            )
    tables.check_made_from("negatives", ["sequences", "vocabulary"])
    negatives = tables.files("negatives", written_by="negatives")
    cores = context.spark.sparkContext.defaultParallelism
    shares = []
    for part, of in zip(parts, shares_of([one["users"] for one in counted], SHARE, cores), strict=True):
        stored = tuple(overlapping(part, negatives))
        shares += [
            Share(part=part, number=number, of=of, negatives=stored, protocol=protocol)
            for number in range(of)
        ]
    return shares, held_out


def _count(part: Part, *, protocol: Protocol) -> Report:
    """Count the users of a file of sequences, and of each split those with a held-out event."""
    rows = read_columns(part.path, [column for column in HELD_OUT if column != "items"])
    counts: Report = {split: int((history_lengths(split, protocol, rows) >= 0).sum()) for split in SPLITS}
    return {"users": len(rows), **counts}


def read_batches(share: Share, columns: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield (user_id, split, items, columns, position, and of each sampler _target, _seed, candidates).

    Items are item_index ids, oldest first, the target that at `position`, from 0; columns: what else is known
    of the events. Candidates and their targets are vocabulary rows, null for users of whom none are stored. A
    batch is of one split.
    """
    rows = share.sequences([*HELD_OUT, *columns])
    for split in SPLITS:
        places = history_lengths(split, share.protocol, rows)
        held = rows.filter(pa.array(places >= 0)).select(["user_id", "items", *columns])
        held = held.append_column("position", pa.array(places[places >= 0], pa.int32()))
        held = held.append_column("split", pa.array([split] * len(held), pa.string()))
        stored = {sampler: _stored(share, split, sampler, held.column("user_id")) for sampler in SAMPLERS}
        for start in range(0, len(held), BATCH):
            batch = held.slice(start, BATCH)
            whole = {name: one_chunk(batch.column(name)) for name in batch.column_names}
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
