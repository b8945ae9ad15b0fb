from __future__ import annotations

import itertools

import pytest
from pyspark.sql import SparkSession

from sequoia.ingest.duplicates import price_bucket, rank_events, rank_products, with_item_columns

pytestmark = pytest.mark.spark

EVENTS = (
    "source string, line long, format string, user string, item string, time long, rating float, "
    "verified boolean, votes int, reason string"
)
# Copies of one event from the one that is kept to the last; each is worse than the one before in one way.
RANKED = [
    ("b", 9, "reviews", "u", "i", 1, 2.0, True, 7, None),
    ("b", 8, "reviews", "u", "i", 1, 2.0, True, 3, None),
    ("b", 7, "reviews", "u", "i", 1, 2.0, False, 3, None),
    ("b", 6, "reviews", "u", "i", 1, 1.0, False, 3, None),
    ("b", 5, "events", "u", "i", 1, 5.0, None, None, None),
    ("b", 4, "events", "u", "i", 1, None, None, None, None),
    ("a", 3, "ratings", "u", "i", 1, 5.0, None, None, None),
    ("b", 2, "ratings", "u", "i", 1, 5.0, None, None, None),
    ("a", 1, "sequences", "u", "i", 1, None, None, None, None),
]


def test_the_kept_line_follows_the_rule_whatever_the_order(spark: SparkSession) -> None:
    orders = [RANKED, RANKED[::-1], RANKED[4:] + RANKED[:4]]
    for rows, partitions in zip(orders, (1, 3, 5), strict=True):
        frame = spark.createDataFrame(rows, EVENTS).repartition(partitions)
        found = {row["line"]: row["copy"] for row in rank_events(frame).collect()}
        assert found == {10 - copy: copy for copy in range(1, 10)}


def test_other_times_and_items_are_no_duplicates_and_quarantined_lines_do_not_count(
    spark: SparkSession,
) -> None:
    rows = [
        ("a", 1, "ratings", "u", "i", 1, 5.0, None, None, None),
        ("a", 2, "ratings", "u", "i", 2, 5.0, None, None, None),
        ("a", 3, "ratings", "u", "j", 1, 5.0, None, None, None),
        ("a", 4, "ratings", None, None, None, None, None, None, "blank line"),
    ]
    found = rank_events(spark.createDataFrame(rows, EVENTS)).collect()
    assert sorted((row["line"], row["copy"]) for row in found) == [(1, 1), (2, 1), (3, 1)]


def test_events_without_a_user_are_all_kept(spark: SparkSession) -> None:
    rows = [("a", line, "events", None, "i", 1, None, None, None, None) for line in (1, 2)]
    assert [row["copy"] for row in rank_events(spark.createDataFrame(rows, EVENTS)).collect()] == [1, 1]


def test_the_most_complete_product_line_is_kept_whatever_the_order(spark: SparkSession) -> None:
    schema = "source string, line long, item string, title string, brand string, price double, reason string"
    rows = [
        ("m", 1, "i", "Title", "Brand", 5.0, None, ["a", "b"]),
        ("m", 2, "i", "Title", "Brand", 5.0, None, ["a"]),
        ("m", 3, "i", "Title", "Zoo", 5.0, None, ["a"]),
        ("m", 4, "i", None, "Brand", 5.0, None, ["a", "b", "c"]),
        ("m", 5, "i", None, None, None, None, []),
    ]
    for order in itertools.islice(itertools.permutations(rows), 0, 120, 40):
        frame = spark.createDataFrame(list(order), f"{schema}, categories array<string>")
        found = {row["line"]: row["copy"] for row in rank_products(frame).collect()}
        assert found == {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}


def test_category_and_price_bucket_follow_from_path_and_price(spark: SparkSession) -> None:
    rows = [([], None), (["a"], 0.5), (["a", "b"], 1.0), (["a"], 3.0), (["a"], 1e9)]
    frame = spark.createDataFrame(rows, "categories array<string>, price double")
    found = with_item_columns(frame).collect()
    assert [(row["category"], row["price_bucket"]) for row in found] == [
        (None, 0),
        ("a", 2),
        ("b", 3),
        ("a", 5),
        ("a", 30),
    ]
    assert frame.select(price_bucket(frame.price)).schema[0].dataType.simpleString() == "int"
