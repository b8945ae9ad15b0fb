"""What a training reads beside its snapshot: the item index, a sample of validation users, counted pairs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.road.stage import Context
from sequoia.sequences.held_out import held_out
from sequoia.storage import Location, entries, remove, spark_uri
from sequoia.tables.snapshot import take_snapshot
from sequoia.tables.snapshot_file import Snapshot
from sequoia.together import together
from sequoia.training.pairs import count_pairs


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files and tables that the models of one stage run share; pairs are those of the counting model."""

    items: Location
    validation: Location
    pairs: Snapshot | None


@contextmanager
def written_inputs(context: Context, *, with_pairs: bool) -> Iterator[Inputs]:
    """Write the inputs by independent small jobs at the same time; their files go when the block ends."""
    folder = context.config.workspace_path / "models" / f".inputs-{uuid.uuid4().hex[:12]}"
    try:
        items, validation, pairs = together(
            lambda: _write_items(context, folder / "items"),
            lambda: _write_validation_users(context, folder / "validation"),
            lambda: _write_pairs(context) if with_pairs else None,
        )
        yield Inputs(items=items, validation=validation, pairs=pairs)
    finally:
        remove(folder)


def _write_items(context: Context, folder: Location) -> Location:
    """Write (row, item_id, item, events) in row order from the vocabulary table."""
    vocabulary = context.tables.read("vocabulary").select("row", "item_id", "item", "events")
    return _single_file(vocabulary.coalesce(1).sortWithinPartitions("row"), folder)


def _write_validation_users(context: Context, folder: Location) -> Location:
    """Write (history, target) as item ids: the validation_users with the least hash."""
    config = context.config
    users = held_out(context.tables.read("sequences"), "valid", config.sequences.split)
    order = F.xxhash64(F.lit(config.seed), "user_id")
    sample = users.orderBy(order, "user_id").limit(config.training.validation_users)
    return _single_file(sample.select("history", "target").coalesce(1), folder)


def _write_pairs(context: Context) -> Snapshot:
    """Write the counted pairs of the training table."""
    pairs = count_pairs(context.tables.read("training"), max(context.config.models.counting.window))
    context.tables.overwrite("cooccurrences", pairs)
    return take_snapshot(context.tables, "cooccurrences")


def _single_file(frame: DataFrame, folder: Location) -> Location:
    frame.write.parquet(spark_uri(folder))
    (part,) = [entry.location for entry in entries(folder) if entry.relative.endswith(".parquet")]
    return part
