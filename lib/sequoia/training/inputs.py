"""What a training reads beside its snapshot: the model's item index and a sample of validation users."""

from __future__ import annotations

import shutil
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.sequences.held_out import held_out
from sequoia.stage import Context


def write_items(context: Context, folder: Path) -> Path:
    """Write items.parquet (row, item_id, item, events) in row order from the vocabulary table."""
    vocabulary = context.tables.read("vocabulary").select("row", "item_id", "item", "events")
    return _single_file(vocabulary.coalesce(1).sortWithinPartitions("row"), folder / "items.parquet")


def write_validation_users(context: Context, folder: Path) -> Path:
    """Write validation.parquet (history, target as item ids): the validation_users with the least hash."""
    config = context.config
    users = held_out(context.tables.read("sequences"), "valid", config.sequences.split)
    order = F.xxhash64(F.lit(config.seed), "user_id")
    sample = users.orderBy(order, "user_id").limit(config.training.validation_users)
    return _single_file(sample.select("history", "target").coalesce(1), folder / "validation.parquet")


def _single_file(frame: DataFrame, path: Path) -> Path:
    scratch = path.with_suffix(".tmp")
    frame.write.mode("overwrite").parquet(str(scratch))
    (part,) = scratch.glob("part-*.parquet")
    shutil.move(part, path)
    shutil.rmtree(scratch)
    return path
