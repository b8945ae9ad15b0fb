"""Which of several lines about the same thing is kept: a total order on contents, not on places.

Events with the same user, item and time are one interaction. The richest line is kept:
reviews before event logs before ratings before sequences, then the higher rating, a verified
purchase, more votes, and the smallest source name. Lines that are equal in all of these are equal in all
columns of interactions. An event without a user is nobody's duplicate: two strangers may do the same at the
same moment.

Lines about the same product are one item. The most complete line is kept (title, brand, price and category
path count one each), then the longest path, then the smallest title, brand, price, path and source.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

RICHEST = ("reviews", "events", "ratings", "sequences")
LARGEST_BUCKET = 30


def rank_events(events: DataFrame) -> DataFrame:
    """Add `copy` to the good events: 1 for the line that is kept, more for its duplicates."""
    richness = F.expr(f"array_position(array({', '.join(map(repr, RICHEST))}), format)")
    order = [
        richness,
        F.col("rating").desc_nulls_last(),
        F.col("verified").desc_nulls_last(),
        F.col("votes").desc_nulls_last(),
        F.col("source"),
    ]
    stranger = F.when(F.col("user").isNull(), F.struct("source", "line"))
    good = events.where("reason IS NULL")
    return good.withColumn(
        "copy", F.row_number().over(Window.partitionBy("user", "item", "time", stranger).orderBy(*order))
    )


def rank_products(products: DataFrame) -> DataFrame:
    """Add `copy` to the good product lines: 1 for the line that is kept, more for its duplicates."""
    known = [F.col(name).isNotNull().cast("int") for name in ("title", "brand", "price")]
    complete = sum(known, (F.size("categories") > 0).cast("int"))
    ties = [F.col(name).asc_nulls_last() for name in ("title", "brand", "price", "categories", "source")]
    order = [complete.desc(), F.size("categories").desc(), *ties]
    good = products.where("reason IS NULL")
    return good.withColumn("copy", F.row_number().over(Window.partitionBy("item").orderBy(*order)))


def with_item_columns(products: DataFrame) -> DataFrame:
    """Add the columns of items that follow from others."""
    path = F.col("categories")
    leaf = F.when(F.size(path) > 0, F.element_at(path, -1))
    return products.withColumn("category", leaf).withColumn("price_bucket", price_bucket(F.col("price")))


def price_bucket(price: Column) -> Column:
    """Return 0 for no price, else 1 + floor(2 * log2(1 + price)), at most 30."""
    bucket = F.least(1 + F.floor(2 * F.log2(1 + price)), F.lit(LARGEST_BUCKET))
    # Spark's least passes over nulls, so a missing price must not reach it.
    return F.when(price.isNull(), 0).otherwise(bucket).cast("int")
