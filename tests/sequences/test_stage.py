"""The sequences stage on logs checked by hand or by a slow oracle, in any order and partitioning."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F
from sequences.log import DAY, FIRST_DAY, Event, contents, ids, write_log
from sequences.slow_stage import slow_cap, slow_histories

from sequoia.errors import UserError
from sequoia.road.stage import Context
from sequoia.sequences.stage import run
from sequoia.sequences.time_cuts import choose_cuts
from sequoia.sequences.training_rows import places
from sequoia.tables.snapshot import take_snapshot

pytestmark = [pytest.mark.spark, pytest.mark.delta]

ITEMS = [
    {"item": "i0", "category": "c", "brand": "b", "price": 3.0, "price_bucket": 5},
    {"item": "i1", "category": "c"},
]
# Four users with the items i0..i3 on four days; a passer-by, a visitor, a rare item, an event of nobody.
LOG: list[Event] = [(f"u{user}", f"i{item}", 2 * item, 1.0 + item) for user in range(4) for item in range(4)]
LOG += [("passer", "i0", 3, None), ("visitor", "i1", 1, None), ("visitor", "i2", 1, None)]
LOG += [("u0", "rare", 9, None), (None, "i0", 5, None)]
SMALL = ("sequences.k=3", "sequences.max_length=3", "sequences.max_events=9", "sequences.shards=3")
TABLES = ("kcore", "sequences", "sessions", "vocabulary", "training")


def random_log() -> list[Event]:
    """Return distinct events of 60 users with 30 items, many of them on the same day."""
    chance = random.Random(3)
    drawn = ((f"u{chance.randrange(60)}", f"i{int(chance.random() ** 2 * 30)}") for _ in range(700))
    events = {(*pair, chance.randrange(12)) for pair in drawn}
    return [(*event, float(1 + len(event[0]) % 5)) for event in sorted(events)]


def test_every_table_is_what_the_log_says(make_context: Callable[..., Context]) -> None:
    context = make_context(*SMALL)
    write_log(context, LOG, items=ITEMS)
    result = run(context)
    items, users = ids(context, "item"), ids(context, "user")
    days = [(FIRST_DAY + 2 * item) * DAY for item in range(4)]
    rows = {row["user_id"]: row for row in context.tables.read("sequences").collect()}
    assert set(rows) == {users[f"u{user}"] for user in range(4)}
    row = rows[users["u0"]]
    assert row["items"] == [items[f"i{item}"] for item in range(4)]
    assert row["times"] == days
    assert row["ratings"] == [1.0, 2.0, 3.0, 4.0]
    assert (row["length"], row["loo_train"], row["time_train"], row["time_valid"]) == (4, 2, 2, 3)

    # Training events, category, brand, first training event, price and its bucket.
    told = [(4, 2, 2, days[0], 3.0, 5), (4, 2, 1, days[1], 0.0, 0), *[(0, 1, 1, 0, 0.0, 0)] * 2]
    by_id = sorted((items[f"i{item}"], f"i{item}", *told[item]) for item in range(4))
    expected = [(row, *of_item) for row, of_item in enumerate(by_id, start=2)]
    assert contents(context, "vocabulary")["vocabulary"] == expected
    row_of = {item: row for row, _, item, *_ in expected}
    training = context.tables.read("training").collect()
    assert len(training) == 4
    for row in training:
        assert row["items"] == [0, 0, row_of["i0"], row_of["i1"]]
        assert row["times"] == [0, 0, *days[:2]]
        assert row["ratings"] == [0.0, 0.0, 1.0, 2.0]
        assert row["length"] == 2

    [(key, session_items, times, length)] = contents(context, "sessions")["sessions"]
    assert (key, length, times) == ("visitor:1", 2, [(FIRST_DAY + 1) * DAY] * 2)
    assert set(session_items) == {items["i1"], items["i2"]}
    assert contents(context, "kcore")["kcore"] == [(3, 0, 6, 5, 20), (3, 1, 4, 4, 16), (3, 2, 4, 4, 16)]
    assert (result.rows_in, result.rows_out) == (21, 4)
    assert set(result.details.pop("seconds")) == {"encode", "kcore", "write"}
    assert result.details == {
        "kcore": {"k": 3, "rounds": 2, "users": 4, "items": 4, "interactions": 16},
        "sequences": 4,
        "sessions": 1,
        "training_rows": 4,
        "cut_histories": 0,
        "time_cuts": [days[2], days[3]],
        "removed": {"without_user": 1, "repeats": 0, "kcore": 4, "max_events": 0},
    }


def test_order_and_partitions_of_the_log_change_nothing(make_context: Callable[..., Context]) -> None:
    log = random_log()
    context = make_context(*SMALL)
    write_log(context, log)
    assert run(context).details["cut_histories"] > 0
    expected = contents(context, *TABLES)
    assert all(expected.values())
    check_shards(context)
    check_ties_are_shuffled(context)

    random.Random(9).shuffle(log)
    write_log(context, log, partitions=5)
    run(context)
    assert contents(context, *TABLES) == expected
    check_shards(context)


def check_shards(context: Context) -> None:
    """Each shard is one file, its rows in the order of the hash."""
    files = take_snapshot(context.tables, "training").files
    assert len(files) == 3
    for file in files:
        table = pq.ParquetFile(file.path).read(columns=["user_id"])
        order = places(table["user_id"].to_numpy(), context.config.seed)
        assert len(order) > 5
        assert (np.diff(order.astype(object)) > 0).all()
        assert (order % 3 == int(file.path.partition("shard=")[2][0])).all()


def check_ties_are_shuffled(context: Context) -> None:
    """Of neighbours on one day about half are in ascending order of the raw ids."""
    name_of = {number: name for name, number in ids(context, "item").items()}
    ascending = []
    for row in context.tables.read("sequences").collect():
        named = [(time, name_of[item]) for time, item in zip(row["times"], row["items"], strict=True)]
        ascending += [one < other for one, other in pairwise(named) if one[0] == other[0]]
    assert len(ascending) > 50
    assert 0.35 < sum(ascending) / len(ascending) < 0.65


def test_histories_are_those_of_the_oracle(make_context: Callable[..., Context]) -> None:
    log = random_log()
    choices = ("sequences.split=time", "sequences.repeats=first", "sequences.ties=item", "sequences.k=5")
    context = make_context(*SMALL, *choices)
    write_log(context, log)
    result = run(context)
    whole = slow_histories(log, k=5, first_only=True)
    assert 0 < len(whole) < 60
    user_of = {number: user for user, number in ids(context, "user").items()}
    item_of = {number: item for item, number in ids(context, "item").items()}
    histogram = Counter(day + FIRST_DAY for events in whole.values() for day, _ in events)
    cuts = choose_cuts(histogram, valid_share=0.1, test_share=0.1)
    days = [cut // DAY - FIRST_DAY for cut in cuts]
    expected = {user: slow_cap(events, days, 9) for user, events in whole.items()}
    rows = context.tables.read("sequences").collect()
    for row in rows:
        days = [time // DAY - FIRST_DAY for time in row["times"]]
        found = list(zip(days, (item_of[item] for item in row["items"]), strict=True))
        assert found == expected[user_of[row["user_id"]]]
        before = [sum(time < cut for time in row["times"]) for cut in cuts]
        assert [row["time_train"], row["time_valid"]] == before
    assert len(rows) == len(expected)
    trained = {row["user_id"]: min(row["time_train"], 4) for row in rows if row["time_train"] >= 2}
    training = context.tables.read("training").collect()
    assert {row["user_id"]: row["length"] for row in training} == trained
    pairs = {(user, item) for user, item, _, _ in log}
    assert result.details["time_cuts"] == list(cuts)
    assert result.details["removed"]["repeats"] == len(log) - len(pairs) > 0
    cut = sum(expected[user] != events for user, events in whole.items())
    assert result.details["cut_histories"] == cut > 0


def test_refusals_come_before_anything_is_written(make_context: Callable[..., Context]) -> None:
    context = make_context("sequences.k=5")
    write_log(context, [(user, item, 0, None) for user, item, _, _ in LOG])
    with pytest.raises(UserError, match=r"of 20 interactions nothing is left after \d+ rounds of the 5-core"):
        run(context)
    with pytest.raises(UserError, match=r"the 3-core has 1: set sequences\.split=leave-one-out"):
        run(make_context(*SMALL, "sequences.split=time"))
    late = context.tables.read("interactions").where("item = 'rare'").withColumn("item", F.lit("new"))
    context.tables.append("interactions", late)
    with pytest.raises(UserError, match="of 20 of 21 interactions: run the index stage"):
        run(context)
    assert not any(context.tables.exists(table) for table in TABLES)
