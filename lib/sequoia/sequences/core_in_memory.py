"""The k-core of a graph small enough for one task: numpy, all rounds at once.

The first rounds of the filter drop most of a real log and belong in Spark; the last ones drop a few rows each
and would cost a second of Spark's scheduling apiece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]

PAIRS = pa.schema([(name, pa.int64()) for name in ("user_id", "item_id", "events")])


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round of the filter left; the last round drops nothing."""

    users: int
    items: int
    interactions: int


def drop_in_rounds(
    users: Integers, items: Integers, events: Integers, *, k: int, max_rounds: int
) -> tuple[npt.NDArray[np.bool_], list[Round]]:
    """Drop users and items of fewer than k interactions together, until a round drops nothing.

    `users`, `items`, `events` are the columns of the pairs left, with the interactions of each pair. Returns
    which pairs stay and the counts: of the input, then after each round. The last two are equal at the fixed
    point; after max_rounds rounds that dropped something one more is tried, and then it ends anyway.
    """
    user_codes, item_codes = (np.unique(ids, return_inverse=True)[1] for ids in (users, items))
    alive = np.ones(len(events), dtype=bool)
    rounds = [_count(user_codes, item_codes, events, alive)]
    dropped = True
    while dropped and alive.any() and len(rounds) <= max_rounds + 1:
        weights = events * alive
        user_totals, item_totals = np.bincount(user_codes, weights), np.bincount(item_codes, weights)
        stay = alive & (user_totals[user_codes] >= k) & (item_totals[item_codes] >= k)
        dropped = bool((stay != alive).any())
        alive = stay
        rounds.append(_count(user_codes, item_codes, events, alive))
    return alive, rounds


def _count(users: Integers, items: Integers, events: Integers, alive: npt.NDArray[np.bool_]) -> Round:
    return Round(
        users=len(np.unique(users[alive])),
        items=len(np.unique(items[alive])),
        interactions=int(events[alive].sum()),
    )


def arrow_rounds(
    *, k: int, max_rounds: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a mapInArrow function from all pairs to the counts: round 0 is the input."""

    def rounds_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        pairs = _gather(batches)
        _, rounds = drop_in_rounds(*_columns(pairs), k=k, max_rounds=max_rounds)
        yield pa.RecordBatch.from_pylist(
            [{"round": number, **vars(one)} for number, one in enumerate(rounds)],
            pa.schema([(name, pa.int64()) for name in ("round", "users", "items", "interactions")]),
        )

    return rounds_of


def arrow_core(*, k: int, max_rounds: int) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a mapInArrow function from all pairs to those of the core."""

    def core_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        pairs = _gather(batches)
        alive, _ = drop_in_rounds(*_columns(pairs), k=k, max_rounds=max_rounds)
        yield from pairs.filter(pa.array(alive)).to_batches()

    return core_of


def _gather(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    held = list(batches)
    return pa.Table.from_batches(held) if held else PAIRS.empty_table()


def _columns(pairs: pa.Table) -> tuple[Integers, Integers, Integers]:
    users, items, events = (pairs[name].to_numpy() for name in ("user_id", "item_id", "events"))
    return users, items, events
