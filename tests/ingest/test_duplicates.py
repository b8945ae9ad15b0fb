from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sequoia.buckets.strings import hash_strings
from sequoia.ingest.duplicates import LINES, RICHEST, Source, resolve_events

SOURCES = [Source(name=f"{name}{form}", form=form) for name in "ab" for form in RICHEST]
PLACES = {(source.name[0], source.form): place for place, source in enumerate(SOURCES)}
# Copies of one event from the one that is kept to the last; each is worse than the one before in one way.
RANKED = [
    ("b", "reviews", 2.0, True, 7),
    ("b", "reviews", 2.0, True, 3),
    ("b", "reviews", 2.0, False, 3),
    ("b", "reviews", 2.0, None, 3),
    ("b", "reviews", 1.0, True, 3),
    ("b", "events", 5.0, None, None),
    ("b", "events", None, None, None),
    ("a", "ratings", 5.0, None, None),
    ("b", "ratings", 5.0, None, None),
    ("a", "sequences", None, None, None),
]
STARS = st.sampled_from([None, 1.0, 2.0])
LINE = st.tuples(
    st.sampled_from([None, "u", "v", "w"]),
    st.sampled_from(["i", "j"]),
    st.integers(1, 2),
    STARS,
    st.sampled_from([None, True, False]),
    st.sampled_from([None, 0, 5]),
    st.integers(0, len(SOURCES) - 1),
)


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = [pa.array([row[at] for row in rows], kind) for at, kind in enumerate(LINES.types)]
    return pa.Table.from_arrays(columns, schema=LINES)


def slow_rule(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Keep of each user, item and time the best line; of strangers all."""

    def worth(row: tuple[Any, ...]) -> tuple[Any, ...]:
        _, _, _, rating, verified, votes, source = row
        descending = [float("inf") if value is None else -value for value in (rating, verified, votes)]
        return RICHEST.index(SOURCES[source].form), *descending, SOURCES[source].name

    kept = [row for row in rows if row[0] is None]
    for key in {row[:3] for row in rows if row[0] is not None}:
        kept.append(min((row for row in rows if row[:3] == key), key=worth))
    return [(*row[:-1], SOURCES[row[-1]].name) for row in kept]


def test_the_kept_line_follows_the_rule_whatever_the_order() -> None:
    rows = [("u", "i", 1, *values, PLACES[name, form]) for name, form, *values in RANKED]
    for worst in range(len(rows)):
        for order in (rows[worst:], rows[worst:][::-1]):
            found = resolve_events(table(order), SOURCES).to_pylist()
            assert [tuple(row.values()) for row in found] == slow_rule([rows[worst]])


@given(st.lists(LINE, max_size=40))
def test_every_event_is_there_once_in_the_order_of_user_time_and_item(rows: list[tuple[Any, ...]]) -> None:
    found = [tuple(row.values()) for row in resolve_events(table(rows), SOURCES).to_pylist()]
    assert sorted(found, key=repr) == sorted(slow_rule(rows), key=repr)
    names = pa.array(["u", "v", "w", "i", "j"])
    hashes = dict(zip(names.to_pylist(), hash_strings(names).first.tolist(), strict=True))
    order = [(row[0] is None, hashes.get(row[0], 0), row[2], hashes[row[1]]) for row in found]
    assert order == sorted(order)


def test_users_and_items_are_dictionaries_without_an_entry_too_many() -> None:
    rows = [(user, item, 1, 5.0, None, None, 0) for user, item in itertools.product("uvw", "ij")]
    found = resolve_events(table([*rows, *rows, (None, "k", 1, None, None, None, 1)]), SOURCES)
    for name, values in (("user", "uvw"), ("item", "ijk")):
        column = found.column(name).combine_chunks()
        assert sorted(column.dictionary.to_pylist()) == list(values)
        assert (np.diff(hash_strings(column.dictionary).first.astype(object)) > 0).all()
