"""The users to evaluate: their items and the target of both splits, beside stored candidates."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.evaluate.worker import SAMPLERS
from sequoia.road.stage import Context
from sequoia.sequences.held_out import Split, history_length

SPLITS: tuple[Split, ...] = ("valid", "test")


def count_held_out(context: Context) -> dict[Split, int]:
    """Return the number of held-out events of each split; raises UserError when one has none."""
    protocol = context.config.sequences.split
    sequences = context.tables.read("sequences", written_by="sequences")
    counts = [F.count(history_length(split, protocol)).alias(split) for split in SPLITS]
    (row,) = sequences.agg(*counts).collect()  # one row, whatever the number of users
    for split in SPLITS:
        if not row[split]:
            raise UserError(
                f"no user has a held-out event in split {split} under sequences.split = {protocol}: "
                "take more data, a lower sequences.k or leave-one-out"
            )
    return {split: row[split] for split in SPLITS}


def held_out_users(context: Context) -> DataFrame:
    """Return (user_id, split, items, position, and of each sampler _target, _seed and the candidates).

    Items are item_index ids, oldest first, the target that at `position`, from 0; candidates and their
    targets are vocabulary rows, null for users of whom none are stored. Spread evenly over the cores.
    """
    sequences = context.tables.read("sequences", written_by="sequences")
    protocol = context.config.sequences.split
    splits = [
        sequences.select(
            "user_id", F.lit(split).alias("split"), "items", history_length(split, protocol).alias("position")
        ).where("position IS NOT NULL")
        for split in SPLITS
    ]
    users = reduce(DataFrame.union, splits)
    context.tables.check_made_from("negatives", ["sequences", "vocabulary"])
    negatives = context.tables.read("negatives", written_by="negatives")
    for sampler in SAMPLERS:
        drawn = negatives.where(F.col("sampler") == sampler).select(
            "user_id",
            "split",
            F.col("target").alias(f"{sampler}_target"),
            F.col("seed").alias(f"{sampler}_seed"),
            F.col("candidates").alias(sampler),
        )
        users = users.join(drawn, on=["user_id", "split"], how="left")
    # An explicit number: adaptive execution would leave one task for small data, and one core idle.
    return users.repartition(context.spark.sparkContext.defaultParallelism)
