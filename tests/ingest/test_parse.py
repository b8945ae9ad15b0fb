"""Every kind of dirt on lines small enough to check by hand, and fast way = slow way on anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sequoia.config import load_config
from sequoia.ingest.files.blocks import Block
from sequoia.ingest.formats import parse as parsing
from sequoia.ingest.formats.event_csv import event_csv
from sequoia.ingest.formats.metadata import metadata
from sequoia.ingest.formats.parse import Grammar, parse
from sequoia.ingest.formats.ratings import ratings
from sequoia.ingest.formats.reviews import reviews
from sequoia.ingest.formats.sequence_lines import sequences
from sequoia.ingest.settings import IngestSettings

DAY = 1_400_000_000


def ingest_settings(*overrides: str) -> IngestSettings:
    return load_config(overrides=[f"ingest.{override}" for override in overrides]).ingest


def rows(grammar: Grammar, data: bytes) -> list[dict[str, Any]]:
    return parse(grammar, Block(data=data)).to_pylist()


def review(**changes: Any) -> dict[str, Any]:
    line = {"overall": 5.0, "verified": True, "reviewerID": "A1", "asin": "B1", "unixReviewTime": DAY}
    return {key: value for key, value in {**line, **changes}.items() if value is not ...}


def reason_of(grammar: Grammar, line: str | bytes) -> str | None:
    data = line if isinstance(line, bytes) else line.encode()
    (row,) = rows(grammar, data + b"\n")
    if row["reason"]:
        assert row["raw"] == data.decode("utf-8", "replace")
        assert all(value is None for key, value in row.items() if key not in ("reason", "raw"))
    else:
        assert row["raw"] is None
    return row["reason"]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, ("A1", "B1", DAY * 1000, 5.0, True, 0)),
        ({"vote": "1,341"}, ("A1", "B1", DAY * 1000, 5.0, True, 1341)),
        ({"vote": 3}, ("A1", "B1", DAY * 1000, 5.0, True, 3)),
        ({"verified": ...}, ("A1", "B1", DAY * 1000, 5.0, None, 0)),
        ({"helpful": [2, 3]}, ("A1", "B1", DAY * 1000, 5.0, True, 2)),
        ({"helpful": []}, ("A1", "B1", DAY * 1000, 5.0, True, 0)),
        ({"overall": 4}, ("A1", "B1", DAY * 1000, 4.0, True, 0)),
        ({"unixReviewTime": float(DAY)}, ("A1", "B1", DAY * 1000, 5.0, True, 0)),
        ({"unixReviewTime": ..., "reviewTime": "09 20, 2013"}, ("A1", "B1", 1379635200000, 5.0, True, 0)),
        ({"reviewText": "two\nlines \u2028 \u00e9 <b>"}, ("A1", "B1", DAY * 1000, 5.0, True, 0)),
    ],
)
def test_good_reviews(changes: dict[str, Any], wanted: tuple[Any, ...]) -> None:
    (row,) = rows(reviews(ingest_settings()), json.dumps(review(**changes)).encode() + b"\n")
    assert tuple(row.values()) == (*wanted, None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"asin": ...}, "item is missing"),
        ({"asin": None}, "item is missing"),
        ({"asin": 17}, "asin is not a text"),
        ({"asin": "\ud83d"}, "asin is not Unicode"),
        ({"reviewerID": ""}, "user is missing"),
        ({"overall": ...}, "rating is missing"),
        ({"overall": 0}, "rating outside 1 to 5"),
        ({"overall": 5.5}, "rating outside 1 to 5"),
        ({"overall": float("nan")}, "rating outside 1 to 5"),
        ({"overall": 10**400}, "rating outside 1 to 5"),
        ({"overall": "5"}, "overall is not a number"),
        ({"unixReviewTime": ...}, "time is missing"),
        ({"unixReviewTime": 0}, "time before first_time"),
        ({"unixReviewTime": 9_999_999_999}, "time after last_time"),
        ({"unixReviewTime": 10**30}, "unixReviewTime is not whole seconds"),
        ({"unixReviewTime": DAY + 0.5}, "unixReviewTime is not whole seconds"),
        ({"unixReviewTime": ..., "reviewTime": "02 30, 2013"}, "reviewTime is not month day, year"),
        ({"vote": "many"}, "vote is not a number"),
        ({"vote": -1}, "votes are not a count"),
        ({"verified": "yes"}, "verified is not true or false"),
    ],
)
def test_bad_reviews(changes: dict[str, Any], reason: str) -> None:
    assert reason_of(reviews(ingest_settings()), json.dumps(review(**changes))) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "blank line"),
        ("   ", "blank line"),
        ('{"asin": "B1"', "neither JSON nor a Python literal"),
        ("[1, 2]", "not an object"),
        ('{"asin": "B1"}{"asin": "B2"}', "neither JSON nor a Python literal"),
        ('{"asin": "B1", "asin": "B2"}', "two values of asin"),
        ("__import__('os').getcwd()", "neither JSON nor a Python literal"),
        (b'{"asin": "\xff"}', "not UTF-8"),
    ],
)
def test_lines_that_are_no_review(line: str | bytes, reason: str) -> None:
    assert reason_of(reviews(ingest_settings()), line) == reason


def test_python_literals_of_2014_are_read() -> None:
    line = "{'reviewerID': 'A1', 'asin': 'B1', 'overall': 3.0, 'helpful': [7, 9], 'reviewText': \"it's\", "
    data = f"{line}'unixReviewTime': {DAY}}}\n".encode()
    assert list(rows(reviews(ingest_settings()), data)[0].values())[:6] == [
        "A1",
        "B1",
        DAY * 1000,
        3.0,
        None,
        7,
    ]


def test_a_repeated_key_with_one_value_is_no_fault() -> None:
    text = json.dumps(review())[:-1] + ', "asin": "B1"}'
    assert reason_of(reviews(ingest_settings()), text) is None


def test_two_objects_in_a_line_beside_a_blank_line_are_not_mistaken_for_two_lines() -> None:
    good = json.dumps(review())
    data = f"{good}{good}\n\n{good}\n".encode()
    assert [row["reason"] for row in rows(reviews(ingest_settings()), data)] == [
        "neither JSON nor a Python literal",
        "blank line",
        None,
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"B1,A1,5.0,{DAY}", None),
        (f'"B1","A,1",5,{DAY}', None),
        (f"B1,A1,{DAY}", "3 columns, not 4"),
        (f"B1,A1,5.0,{DAY},9", "5 columns, not 4"),
        (f"B1,A1,six,{DAY}", "rating is not a number"),
        (f"B1,A1,nan,{DAY}", "rating outside 1 to 5"),
        (f"B1,A1,,{DAY}", "rating is missing"),
        ("B1,A1,5.0,2013-01-01", "timestamp is not a whole number"),
        ("B1,A1,5.0,99999999999999999999", "timestamp is out of range"),
        ("B1,A1,5.0,", "time is missing"),
        (f",A1,5.0,{DAY}", "item is missing"),
        (f"B1,,5.0,{DAY}", "user is missing"),
        ("", "blank line"),
        (f'"B1,A1,5.0,{DAY}', "not a CSV line"),
    ],
)
def test_ratings(line: str, reason: str | None) -> None:
    assert reason_of(ratings(ingest_settings(), "item,user"), line) == reason


@pytest.mark.parametrize(
    ("text", "unit", "wanted"),
    [
        ("1400000000", "seconds", 1_400_000_000_000),
        ("1400000000.25", "seconds", 1_400_000_000_250),
        ("1400000000250", "milliseconds", 1_400_000_000_250),
        ("2014-05-13", "seconds", 1_399_939_200_000),
        ("2014-05-13 16:53:20", "seconds", 1_400_000_000_000),
        ("2014-05-13T18:53:20.123456+02:00", "seconds", 1_400_000_000_123),
        ("2014-05-13T16:53:20Z", "seconds", 1_400_000_000_000),
        ("soon", "seconds", None),
        ("1e30", "seconds", None),
        ("", "seconds", None),
    ],
)
def test_times_of_event_logs(text: str, unit: str, wanted: int | None) -> None:
    grammar = event_csv(ingest_settings(f"columns.time_unit={unit}"), ["session", "user", "item", "time"])
    (row,) = rows(grammar, f"s,A1,B1,{text}\n".encode())
    assert row["time"] == wanted
    assert (row["reason"] is None) == (wanted is not None)


def test_an_event_log_may_know_no_users_and_no_ratings() -> None:
    log = ingest_settings("columns.user=null", "columns.rating=stars")
    found = rows(event_csv(log, ["item", "time", "stars"]), f"B1,{DAY},\nB2,{DAY},2.5\nB3,{DAY},9\n".encode())
    assert [(row["user"], row["item"], row["rating"], row["reason"]) for row in found] == [
        (None, "B1", None, None),
        (None, "B2", 2.5, None),
        (None, None, None, "rating outside 1 to 5"),
    ]


def test_sequences_give_an_event_per_item_in_order() -> None:
    found = rows(sequences(), b"7 1 2\n8\n\n9 3\n")
    assert [(row["user"], row["item"], row["time"], row["reason"]) for row in found] == [
        ("7", "1", 1000, None),
        ("7", "2", 2000, None),
        (None, None, None, "a user without items"),
        (None, None, None, "blank line"),
        ("9", "3", 1000, None),
    ]


@pytest.mark.parametrize("odd", [b"\xff x y", b"\xef\xbb\xbf8 x y"], ids=["not UTF-8", "a mark"])
def test_sequences_beside_an_odd_line_keep_all_their_rows_in_order(odd: bytes) -> None:
    for place in range(3):
        lines = [b"7 1 2", b"9 3"]
        lines.insert(place, odd)
        data = b"\n".join(lines) + b"\n"
        found = rows(sequences(), data)
        assert [row["item"] for row in found if row["user"] in ("7", "9")] == ["1", "2", "3"]
        assert found == slowly(sequences(), data)
        assert len(found) == 4 + (not odd.startswith(b"\xff"))


def test_metadata_of_both_years_is_cleaned_alike() -> None:
    new = {"asin": "B1", "title": "A &amp; B", "brand": "", "price": "$5.00", "category": ["Toys", "Cars"]}
    old = {"asin": "B1", "title": "A &amp; B", "price": 5.0, "categories": [["Toys", "Cars"]], "also": "it's"}
    wanted = {"item": "B1", "title": "A & B", "brand": None, "price": 5.0, "categories": ["Toys", "Cars"]}
    for line in (json.dumps(new), repr(old), json.dumps(old)):
        (row,) = rows(metadata(), line.encode() + b"\n")
        assert row == {**wanted, "reason": None, "raw": None}
    assert reason_of(metadata(), '{"title": "x"}') == "item is missing"


def slowly(grammar: Grammar, data: bytes) -> list[dict[str, Any]]:
    return parsing._slow(grammar, data).to_pylist()


TEXTS = st.text(max_size=4) | st.sampled_from(["A1", "B00005N7P0"])
NUMBERS = st.integers(-10, 2**70) | st.floats() | st.sampled_from([DAY, 5.0, 1, 0])
VALUES = {
    "overall": NUMBERS,
    "verified": st.booleans(),
    "reviewerID": TEXTS,
    "asin": TEXTS,
    "unixReviewTime": NUMBERS,
    "reviewTime": st.sampled_from(["09 20, 2013", "02 30, 2013"]),
    "vote": st.sampled_from(["1,341", "2", "x"]),
    "helpful": st.lists(st.integers(0, 9), max_size=3),
    "style": st.dictionaries(TEXTS, TEXTS, max_size=2),
}


@st.composite
def review_lines(draw: st.DrawFn) -> str:
    changed = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2))
    line = review(**{key: draw(VALUES[key] | st.just(...) | st.none() | TEXTS) for key in changed})
    text = json.dumps(line, ensure_ascii=draw(st.booleans()))
    text = text.encode("utf-8", "replace").decode()
    return draw(
        st.sampled_from([text] * 6 + [text[:-1], text + " ", " " + text, "", repr(line), text + text])
    )


REVIEWS = reviews(ingest_settings())
RATINGS = ratings(ingest_settings(), "item,user")


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(review_lines(), min_size=1, max_size=12))
def test_reviews_are_the_same_by_the_fast_and_the_slow_way(lines: list[str]) -> None:
    data = "".join(line.replace("\n", " ") + "\n" for line in lines).encode()
    assert repr(list(singly(REVIEWS, data))) == repr(rows(REVIEWS, data)) == repr(slowly(REVIEWS, data))


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(
        st.lists(
            st.sampled_from(["A1", "B1", "5.0", "", " 5", "nan", "1e3", str(DAY), '"q"', "x y"]), max_size=5
        ),
        min_size=1,
        max_size=8,
    )
)
def test_ratings_are_the_same_by_the_fast_and_the_slow_way(lines: list[list[str]]) -> None:
    data = "".join(",".join(fields) + "\n" for fields in lines).encode()
    # A grammar that has met a number that is none reads numbers as text from then on.
    fresh = ratings(ingest_settings(), "item,user")
    assert rows(fresh, data) == rows(fresh, data) == list(singly(RATINGS, data)) == slowly(RATINGS, data)


WHEN = [
    str(DAY),
    "-5",
    "1e9",
    "",
    "x",
    "2014-05-13",
    "2014-05-13T16:53:20",
    "2014-13-13",
    "2014-05-13T16:53Z",
]


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["A1", "", '"q,"']),
            st.sampled_from(["B1", ""]),
            st.sampled_from(WHEN) | st.sampled_from(WHEN[:1] + WHEN[5:7]),
            st.sampled_from(["5", "2.5", "", "nan", " 3", "five"]),
        )
        | st.just(("A1", "B1")),
        min_size=1,
        max_size=8,
    )
)
def test_event_lines_are_the_same_by_the_fast_and_the_slow_way(lines: list[tuple[str, ...]]) -> None:
    named = "columns={user: who, item: what, time: when, rating: stars, time_unit: seconds}"
    log = event_csv(ingest_settings(named), ["who", "what", "when", "stars"])
    data = "".join(",".join(fields) + "\n" for fields in lines).encode()
    assert list(singly(log, data)) == rows(log, data) == slowly(log, data)


@settings(max_examples=100, deadline=None)
@given(
    lines=st.lists(
        st.lists(st.sampled_from(["1", "22", " ", "\t3", "\u00e9"]), max_size=5), min_size=1, max_size=8
    )
)
def test_sequences_are_the_same_by_the_fast_and_the_slow_way(lines: list[list[str]]) -> None:
    data = "".join(" ".join(words) + "\n" for words in lines).encode()
    assert list(singly(sequences(), data)) == rows(sequences(), data) == slowly(sequences(), data)


def singly(grammar: Grammar, data: bytes) -> Iterator[dict[str, Any]]:
    """Parse line by line, so that each line takes the fast way if it can."""
    for line in data.split(b"\n")[:-1]:
        yield from rows(grammar, line + b"\n")


def test_only_the_surroundings_of_a_bad_line_go_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    slow = parsing._slow
    monkeypatch.setattr(
        parsing, "_slow", lambda grammar, data: seen.append(data.count(b"\n")) or slow(grammar, data)
    )
    good = json.dumps(review()).encode() + b"\n"
    found = rows(reviews(ingest_settings()), good * 5000 + b"broken\n" + good * 5000)
    assert [index for index, row in enumerate(found) if row["reason"]] == [5000]
    assert sum(seen) <= parsing.SMALL
