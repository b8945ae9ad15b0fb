"""The files look like the real ones, byte by byte where readers stumble."""

from __future__ import annotations

import ast
import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

from synthetic.slow_reader import event_of, good_events, good_products, product_of, read_lines

SECONDS_PER_DAY = 86_400


def good_reviews(corpus, name):
    lines = read_lines(corpus.folder / name)
    return [json.loads(line) for line in lines if not isinstance(event_of(line, is_json=True), str)]


def test_review_of_2018_has_the_real_keys_and_types(corpus):
    for record in good_reviews(corpus, "Garden_Tools_5.json.gz"):
        required = {"overall", "verified", "reviewTime", "reviewerID", "asin", "unixReviewTime"}
        assert required <= set(record) <= required | {
            "vote", "style", "image", "reviewerName", "reviewText", "summary"
        }  # fmt: skip
        assert type(record["overall"]) is float
        assert type(record["verified"]) is bool
        for key, value in record.get("style", {}).items():
            assert key.endswith(":")
            assert value.startswith(" ")


def test_review_of_2014_has_helpful_and_nothing_newer(corpus):
    for record in good_reviews(corpus, "reviews_Board_Games.json.gz"):
        assert {"helpful", "overall", "unixReviewTime", "reviewTime", "reviewerID", "asin"} <= set(record)
        assert not {"verified", "vote", "style", "image"} & set(record)
        helped, asked = record["helpful"]
        assert 0 <= helped <= asked


def test_both_times_name_the_same_whole_day(corpus):
    for record in good_reviews(corpus, "Garden_Tools_5.json.gz"):
        assert record["unixReviewTime"] % SECONDS_PER_DAY == 0
        day = datetime.fromtimestamp(record["unixReviewTime"], UTC)
        assert 2002 <= day.year <= 2018
        assert record["reviewTime"] == f"{day.month:02d} {day.day}, {day.year}"


def test_core_reviews_repeat_rows_of_the_ratings(corpus):
    ratings = good_events(corpus.folder / "Garden_Tools.csv.gz")
    core = set(good_events(corpus.folder / "Garden_Tools_5.json.gz"))
    assert core < set(ratings)
    rows = Counter(event[0] for event in ratings)
    assert {event[0] for event in core} == {user for user, count in rows.items() if count >= 5}


def test_metadata_of_2014_uses_double_quotes_around_apostrophes(corpus):
    lines = read_lines(corpus.folder / "meta_Board_Games.json.gz")
    good = [line.decode() for line in lines if not isinstance(product_of(line, is_json=False), str)]
    assert all(line.startswith("{'asin': '") for line in good)
    assert any("'title': \"" in line for line in good)
    assert all(isinstance(ast.literal_eval(line).get("price", 0.0), float) for line in good)


def test_metadata_of_2018_reaches_every_depth(corpus):
    good = good_products(corpus.folder / "meta_Garden_Tools.json.gz", is_json=True)
    assert {len(record["category"]) for record in good} == set(range(8))


def test_some_items_lack_metadata(corpus):
    events = good_events(corpus.folder / "Garden_Tools.csv.gz")
    products = good_products(corpus.folder / "meta_Garden_Tools.json.gz", is_json=True)
    known = {record["asin"] for record in products}
    missing = 1 - len(known) / corpus.settings.items_per_category
    assert 0.02 < missing < 0.1
    assert {item for _, item, *_ in events} - known


def test_one_file_begins_with_a_byte_order_mark_and_some_lines_end_in_crlf(corpus):
    marked = []
    for file in corpus.summary.files:
        content = gzip.decompress((corpus.folder / file.name).read_bytes())
        assert content.count(b"\r\n") == file.dirt.get("crlf", 0)
        marked += [file.name] if content.startswith(b"\xef\xbb\xbf") else []
    assert marked == ["Garden_Tools.csv.gz"]
    assert sum(file.dirt.get("crlf", 0) for file in corpus.summary.files) > 0


def test_lines_are_grouped_by_item_in_runs_and_sorted_by_nothing_else(corpus):
    events = good_events(corpus.folder / "Garden_Tools.csv.gz")
    pairs = list(pairwise(events))
    rises = sum(first[1] <= second[1] for first, second in pairs)
    blocks = -(-corpus.settings.users // corpus.settings.block_users)
    assert len(pairs) - rises == blocks - 1
    same = [(first, second) for first, second in pairs if first[1] == second[1]]
    for column in (0, 3):
        share = sum(first[column] <= second[column] for first, second in same) / len(same)
        assert 0.4 < share < 0.65
