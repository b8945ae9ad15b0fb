"""What a training reads beside its snapshot: the item index, a sample of validation users, counted pairs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sequoia.buckets.arrays import load, save
from sequoia.buckets.shuffle import call_tasks
from sequoia.modelling.item_index import COLUMNS
from sequoia.modelling.item_index import FILE as ITEMS
from sequoia.road.stage import Context
from sequoia.sequences.held_out import Protocol
from sequoia.splitmix64 import stream_keys
from sequoia.storage import Location, locate, remove, uri
from sequoia.tables.parts import Part, read_columns
from sequoia.tables.snapshot import take_snapshot
from sequoia.tables.snapshot_file import Snapshot
from sequoia.training.data import read_validation_users
from sequoia.training.pairs import write_pairs
from sequoia.training.validation_users import FILE as VALIDATION

CHOICE = 1 << 32  # the purpose of the hash that chooses validation users


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the models of one stage run share: a folder of files, and the counting model's pairs."""

    folder: Location
    pairs: Snapshot | None


@contextmanager
def written_inputs(context: Context, pinned: Snapshot, *, with_pairs: bool) -> Iterator[Inputs]:
    """Write the inputs of a training on this snapshot; their files go when the block ends."""
    folder = context.config.workspace_path / "models" / f".inputs-{uuid.uuid4().hex[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    items, validation = folder / ITEMS, folder / VALIDATION
    vocabulary, sequences = context.tables.files("vocabulary"), context.tables.files("sequences")
    config, protocol, features = context.config, context.config.sequences.split, context.config.features
    users = config.training.validation_users
    try:
        choose = [
            partial(
                _choose,
                part,
                seed=config.seed,
                users=users,
                protocol=protocol,
                columns=features.event_columns,
                folder=uri(folder),
            )
            for part in sequences
        ]
        write_items = partial(_write_items, vocabulary, features.item_columns, uri(items))
        _, *chosen = call_tasks(context.spark, [write_items, *choose])
        write = partial(_write_users, chosen, seed=config.seed, users=users, target=uri(validation))
        call_tasks(context.spark, [write])
        pairs = None
        if with_pairs:
            write_pairs(context, max(config.models.counting.window), pinned.rows)
            pairs = take_snapshot(context.tables, "cooccurrences")
        yield Inputs(folder=folder, pairs=pairs)
    finally:
        remove(folder)


def _write_items(vocabulary: Sequence[Part], columns: Sequence[str], target: str) -> None:
    """Write (row, item_id, item, events, columns) in row order."""
    rows = pa.concat_tables([read_columns(part.path, [*COLUMNS, *columns]) for part in vocabulary])
    _write(rows.take(pa.array(np.argsort(rows.column("row").to_numpy()))), target)


def _choose(
    part: Part, *, seed: int, users: int, protocol: Protocol, columns: Sequence[str], folder: str
) -> str:
    """Leave, of the validation users in a file, so many with the least hash."""
    found = read_validation_users(part, protocol, columns)
    return save(found.take(pa.array(_least(found, seed)[:users])), folder, uuid.uuid4().hex)


def _write_users(chosen: Sequence[str], *, seed: int, users: int, target: str) -> None:
    """Write (history, target, ...): of the users chosen in each file those with the least hash."""
    found = pa.concat_tables([load(path) for path in chosen])
    _write(found.take(pa.array(_least(found, seed)[:users])).drop_columns(["user_id"]), target)


def _least(rows: pa.Table, seed: int) -> NDArray[np.intp]:
    users = rows.column("user_id").to_numpy()
    order: NDArray[np.intp] = np.lexsort((users, stream_keys(seed, users, CHOICE)))
    return order


def _write(rows: pa.Table, target: str) -> None:
    with locate(target).open("wb") as file:
        pq.write_table(rows, file)
