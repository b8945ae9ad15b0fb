"""Interactions as numbers: ids, time, rating, features, and the key that orders events of one moment."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sequoia.index.dense_number import dense_number
from sequoia.index.stage import read_items
from sequoia.road.stage import Context

# Of the features of an item without metadata.
UNKNOWN_ID = 1
UNKNOWN_BUCKET = 0

# The order of a user's events. `tie` is a hash or the place of the raw item id; ids part what still is equal.
EVENT_ORDER = ("time", "tie", "item_id")


def indexed_events(
    context: Context, interactions: DataFrame, *, item_ids: DataFrame, user_ids: DataFrame
) -> DataFrame:
    """Join ids and features to the interactions that have a user.

    `item_ids` is (item, item_id), `user_ids` (user, user_id).

    Columns: user_id, item_id, time (ms), tie BIGINT; rating FLOAT (0 unknown); category, brand, price_bucket
    INT. Interactions whose user or item the index does not know are lost here: the caller compares counts.
    """
    events = interactions.where(F.col("user").isNotNull()).select("user", "item", "time", "rating")
    features = item_features(context, item_ids)
    joined = events.join(features, on="item", how="inner").join(user_ids, on="user", how="inner")
    if context.config.sequences.ties == "shuffled":
        joined = joined.withColumn("tie", shuffled_tie(context.config.seed))
    rating = F.coalesce("rating", F.lit(0.0)).cast("float").alias("rating")
    return joined.select("user_id", "item_id", "time", "tie", rating, "category", "brand", "price_bucket")


def shuffled_tie(seed: int) -> Column:
    """Hash the raw item and user ids with the seed, so that no order of ids or files leaks into sequences."""
    return F.xxhash64(F.lit(seed).cast("bigint"), F.col("item"), F.col("user"))


def raw_and_dense_ids(context: Context, key: str) -> DataFrame:
    """Read an index as (<key>, <key>_id)."""
    index = context.tables.read(f"{key}_index", written_by="index")
    return index.select(key, F.col("id").alias(f"{key}_id"))


def item_features(context: Context, item_ids: DataFrame) -> DataFrame:
    """Return one row per item: item, item_id, category, brand, price_bucket; `tie` for ties by item."""
    categories, brands = (raw_and_dense_ids(context, key) for key in ("category", "brand"))
    items = read_items(context).select("item", "category", "brand", "price_bucket")
    features = (
        item_ids.join(items, on="item", how="left")
        .join(categories, on="category", how="left")
        .join(brands, on="brand", how="left")
        .select(
            "item",
            "item_id",
            F.coalesce("category_id", F.lit(UNKNOWN_ID)).cast("int").alias("category"),
            F.coalesce("brand_id", F.lit(UNKNOWN_ID)).cast("int").alias("brand"),
            F.coalesce("price_bucket", F.lit(UNKNOWN_BUCKET)).cast("int").alias("price_bucket"),
        )
    )
    if context.config.sequences.ties == "shuffled":
        return features
    return dense_number(features, [F.asc("item")], name="tie", first=0)
