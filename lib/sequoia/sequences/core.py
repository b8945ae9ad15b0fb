"""The iterated k-core: drop users and items with fewer than k interactions until every one left has k.

The files published as "5-core" count duplicates and are not; this is the fixed point after de-duplication.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.sequences.core_in_memory import Round, arrow_core, arrow_rounds

# Pairs that one task takes over: three integers each, about 200 MB with the copies of the filter.
IN_MEMORY_PAIRS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Core:
    """The pairs of the core (user_id, item_id, events BIGINT) and the counts: rounds[0] is the input."""

    pairs: DataFrame
    rounds: list[Round]
    settled: bool


def find_core(pairs: DataFrame, *, k: int, max_rounds: int, in_memory_pairs: int = IN_MEMORY_PAIRS) -> Core:
    """Find the k-core of (user_id, item_id, events), one row per pair, checkpointed by the caller.

    The last round drops nothing: it shows the fixed point. `settled` is False when max_rounds rounds were not
    enough to reach it. A distributed round is two aggregations, two semi-joins and a checkpoint that cuts the
    plan; once `in_memory_pairs` pairs are left one task does the remaining rounds.
    """
    rounds: list[Round] = []
    while pairs.count() > in_memory_pairs:
        users, items = totals(pairs, "user_id"), totals(pairs, "item_id")
        (num_users, events, weak_users), (num_items, _, weak_items) = _state(users, k), _state(items, k)
        rounds.append(Round(users=num_users, items=num_items, interactions=events))
        if weak_users + weak_items == 0:
            return Core(pairs=pairs, rounds=[*rounds, rounds[-1]], settled=True)
        if len(rounds) > max_rounds:
            return Core(pairs=pairs, rounds=rounds, settled=False)
        pairs = _drop_weak(_drop_weak(pairs, users, "user_id", k), items, "item_id", k).localCheckpoint()
    return _finish(pairs, rounds, k, max_rounds)


def totals(pairs: DataFrame, key: str) -> DataFrame:
    """Sum the interactions of every key: (key, events BIGINT); partial sums first, so skew is harmless."""
    return pairs.groupBy(key).agg(F.sum("events").alias("events")).localCheckpoint()


def _state(totals: DataFrame, k: int) -> tuple[int, int, int]:
    weak = F.count(F.when(F.col("events") < k, 1))
    row = totals.agg(F.count("*"), F.sum("events"), weak).first()
    assert row is not None
    return row[0], row[1], row[2]


def _drop_weak(pairs: DataFrame, totals: DataFrame, key: str, k: int) -> DataFrame:
    strong = totals.where(F.col("events") >= k).select(key)
    return pairs.join(strong, on=key, how="left_semi").select(pairs.columns)


def _finish(pairs: DataFrame, earlier: list[Round], k: int, max_rounds: int) -> Core:
    left = max_rounds - len(earlier)
    together = pairs.repartition(1)
    schema = "round BIGINT, users BIGINT, items BIGINT, interactions BIGINT"
    counted = together.mapInArrow(arrow_rounds(k=k, max_rounds=left), schema)
    rows = counted.orderBy("round").collect()  # at most max_rounds + 2
    rounds = [Round(users=row["users"], items=row["items"], interactions=row["interactions"]) for row in rows]
    core = together.mapInArrow(arrow_core(k=k, max_rounds=left), pairs.schema).localCheckpoint()
    settled = rounds[-1].interactions == 0 or rounds[-1] == rounds[-2]
    return Core(pairs=core, rounds=earlier + rounds, settled=settled)
