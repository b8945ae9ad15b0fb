from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa

from sequoia.ingest.duplicates import Source
from sequoia.ingest.products import PRODUCTS, resolve_products

SOURCES = [Source(name="meta_a", form="metadata"), Source(name="meta_b", form="metadata")]
# Lines of one item from the one that is kept to the last; each is worse than the one before in one way.
RANKED = [
    ("i", "Title", "Brand", 5.0, ["a", "b"], 0),
    ("i", "Title", "Brand", 5.0, ["a"], 0),
    ("i", "Title", "Brand", 5.0, ["a"], 1),
    ("i", "Title", "Brand", 5.0, ["c"], 0),
    ("i", "Title", "Brand", 6.0, ["a"], 0),
    ("i", "Title", "Zoo", 5.0, ["a"], 0),
    ("i", "Zoo", "Brand", 5.0, ["a"], 0),
    ("i", None, "Brand", 5.0, ["a", "b", "c"], 0),
    ("i", "Title", "Brand", None, ["a"], 0),
    ("i", "Title", None, 5.0, ["a"], 0),
    ("i", None, None, None, [], 0),
]


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = [pa.array([row[at] for row in rows], kind) for at, kind in enumerate(PRODUCTS.types)]
    return pa.Table.from_arrays(columns, schema=PRODUCTS)


def test_the_most_complete_product_line_is_kept_whatever_the_order() -> None:
    other = ("j", "Other", None, None, [], 1)
    for worst in range(len(RANKED)):
        for order in ([other, *RANKED[worst:]], [*RANKED[worst:][::-1], other]):
            found = {row["item"]: row for row in resolve_products(table(order), SOURCES).to_pylist()}
            assert tuple(found["i"][name] for name in PRODUCTS.names[:-1]) == RANKED[worst][:-1]
            assert found["i"]["source"] == SOURCES[RANKED[worst][-1]].name
            assert found["j"]["title"] == "Other"
            assert len(found) == 2


def test_lines_that_say_the_same_are_one_item() -> None:
    for rows in itertools.permutations([RANKED[1], RANKED[1], RANKED[2]]):
        assert [row["source"] for row in resolve_products(table(list(rows)), SOURCES).to_pylist()] == [
            "meta_a"
        ]


def test_category_and_price_bucket_follow_from_path_and_price() -> None:
    paths_and_prices = [([], None), (["a"], 0.5), (["a", "b"], 1.0), (["a"], 3.0), (["a"], 1e9)]
    rows = [(f"i{n}", None, None, price, path, 0) for n, (path, price) in enumerate(paths_and_prices)]
    found = sorted(resolve_products(table(rows), SOURCES).to_pylist(), key=lambda row: row["item"])
    assert [(row["category"], row["price_bucket"]) for row in found] == [
        (None, 0),
        ("a", 2),
        ("b", 3),
        ("a", 5),
        ("a", 30),
    ]
