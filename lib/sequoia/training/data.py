"""The data of a training, told by its rows: a stage that ran again and wrote the same changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa

from sequoia.buckets.shuffle import Report, call_tasks
from sequoia.buckets.sizes import grouped
from sequoia.modelling.item_index import COLUMNS
from sequoia.road.stage import Context
from sequoia.sequences.held_out import HELD_OUT, Protocol, held_out
from sequoia.tables.content import content_fingerprint, content_of
from sequoia.tables.parts import Part, read_columns, read_groups
from sequoia.tables.snapshot import take_snapshot
from sequoia.tables.snapshot_file import Snapshot

Read = Callable[[Part], Iterable[pa.Table]]


def training_data(context: Context) -> Snapshot:
    """Pin the training table; its fingerprint is of all rows a training depends on, whatever their versions.

    These are the training rows, the vocabulary and the validation users. One pass over each.
    """
    tables, protocol = context.tables, context.config.sequences.split
    features = context.config.features
    pinned = take_snapshot(tables, "training")
    if not pinned.rows:
        return pinned
    inputs: list[tuple[str, Read]] = [
        ("training", _every_column),
        ("vocabulary", partial(_of_items, columns=features.item_columns)),
        ("sequences", partial(_validation_users, protocol=protocol, columns=features.event_columns)),
    ]
    cores = context.spark.sparkContext.defaultParallelism
    calls = [
        (table, partial(_content, files, read))
        for table, read in inputs
        for files in grouped(tables.files(table), cores)
    ]
    reports = call_tasks(context.spark, [call for _, call in calls])
    marks = [
        content_fingerprint(report for (of, _), report in zip(calls, reports, strict=True) if of == table)
        for table, _ in inputs
    ]
    return replace(pinned, fingerprint=hashlib.sha256(" ".join(marks).encode()).hexdigest()[:16])


def read_validation_users(part: Part, protocol: Protocol, columns: Sequence[str]) -> pa.Table:
    """Read (user_id, history, target, columns) of the validation users in a file of sequences."""
    return held_out(read_columns(part.path, [*HELD_OUT, *columns]), "valid", protocol, columns)


def _every_column(part: Part) -> Iterable[pa.Table]:
    return read_groups(part.path)


def _of_items(part: Part, columns: Sequence[str]) -> Iterable[pa.Table]:
    return read_groups(part.path, [*COLUMNS, *columns])


def _validation_users(part: Part, protocol: Protocol, columns: Sequence[str]) -> Iterable[pa.Table]:
    return [read_validation_users(part, protocol, columns)]


def _content(files: Sequence[Part], read: Read) -> Report:
    return content_of(table for part in files for table in read(part))
