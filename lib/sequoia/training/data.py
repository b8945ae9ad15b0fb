"""The data of a training, told by its rows: a stage that ran again and wrote the same changes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sequoia.road.stage import Context
from sequoia.sequences.held_out import held_out
from sequoia.tables.content import content_fingerprint
from sequoia.tables.snapshot import take_snapshot
from sequoia.tables.snapshot_file import Snapshot
from sequoia.together import together


def training_data(context: Context) -> Snapshot:
    """Pin the training table; its fingerprint is of all rows a training depends on, whatever their versions.

    These are the training rows, the vocabulary and the validation users. One pass over each.
    """
    tables, split = context.tables, context.config.sequences.split
    pinned = take_snapshot(tables, "training")
    if not pinned.rows:
        return pinned
    vocabulary = tables.read("vocabulary").select("row", "item_id", "item", "events")
    validation = held_out(tables.read("sequences"), "valid", split)
    marks: list[str] = together(
        lambda: content_fingerprint(tables.read(pinned.table, version=pinned.version)),
        lambda: content_fingerprint(vocabulary),
        lambda: content_fingerprint(validation),
    )
    return replace(pinned, fingerprint=hashlib.sha256(" ".join(marks).encode()).hexdigest()[:16])
