"""Consecutive numbers for the rows of a frame in a total order, without sending the rows to one place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# monotonically_increasing_id holds the partition in its upper bits and the row within it in these.
ROW_BITS = 2**33 - 1


def dense_number(frame: DataFrame, order: Sequence[Column], *, name: str, first: int) -> DataFrame:
    """Add the BIGINT column `name`: first, first + 1, ... in `order`, which must tell all rows apart.

    Rows are spread by ranges of the order and sorted within each, so a row's number is the sum of the earlier
    partitions' sizes and its place in its own: the same for any partitioning. The sorted rows are
    checkpointed before they are counted: if an executor is lost the job fails, where a second computation
    could cut the ranges elsewhere and give a number twice.
    """
    ordered = frame.repartitionByRange(*order).sortWithinPartitions(*order).localCheckpoint()
    partition = F.spark_partition_id()
    counted = ordered.groupBy(partition.alias("partition")).count().collect()  # one number per partition
    sizes = {row["partition"]: row["count"] for row in counted}
    starts = list(accumulate((sizes.get(index, 0) for index in range(max(sizes, default=0))), initial=first))
    start = F.element_at(F.array(*[F.lit(value).cast("bigint") for value in starts]), partition + 1)
    return ordered.withColumn(name, start + F.monotonically_increasing_id().bitwiseAND(F.lit(ROW_BITS)))
