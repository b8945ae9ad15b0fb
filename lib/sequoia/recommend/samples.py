"""A few users with their histories and top items, by title where one is known, for people to look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.road.stage import Context

LEAST_EVENTS = 3
SHOWN_EVENTS = 10


def sample_users(context: Context, histories: DataFrame, recommended: DataFrame) -> list[dict[str, Any]]:
    """Return recommend.sample_users users with three events or more: which ones, the seed decides.

    Each is {"user", "history": [title or item, ...] the newest ten, "recommended": [{"item", "title",
    "score"}, ...]}.
    """
    limit = context.config.recommend.sample_users
    if limit == 0:
        return []
    draw = F.xxhash64(F.lit(context.config.seed).cast("bigint"), F.col("user"))
    drawn = histories.where(F.size("history") >= LEAST_EVENTS).orderBy(draw, "user").limit(limit)
    newest = F.slice("history", -F.least(F.size("history"), F.lit(SHOWN_EVENTS)), SHOWN_EVENTS).alias(
        "history"
    )
    # At most 100 users, each with ten events and k items.
    rows = recommended.join(drawn.select("user", newest), on="user").orderBy("user").collect()
    titles = _titles(context, {item for row in rows for item in [*row["history"], *row["items"]]})
    return [
        {
            "user": row["user"],
            "history": [titles.get(item, item) for item in row["history"]],
            "recommended": [
                {"item": item, "title": titles.get(item), "score": score}
                for item, score in zip(row["items"], row["scores"], strict=True)
            ],
        }
        for row in rows
    ]


def _titles(context: Context, items: Iterable[str]) -> dict[str, str]:
    wanted = [(item,) for item in sorted(items)]
    if not wanted or not context.tables.exists("items"):
        return {}
    asked = context.spark.createDataFrame(wanted, "item STRING")
    known = context.tables.read("items").where("title IS NOT NULL")
    # No more than what was asked for.
    return {row["item"]: row["title"] for row in known.join(F.broadcast(asked), on="item").collect()}
