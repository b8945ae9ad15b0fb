from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.ingest.files.find import belongs, find_files
from sequoia.ingest.files.recognise import header, recognise
from sequoia.ingest.settings import IngestSettings

REVIEW = b'{"reviewerID": "A1", "asin": "B1", "overall": 5.0, "unixReviewTime": 1400000000}\n'
PRODUCT = b"{'asin': 'B1', 'title': 'x'}\n"


def ingest_settings(*overrides: str) -> IngestSettings:
    return load_config(overrides=[f"ingest.{override}" for override in overrides]).ingest


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Beauty.csv", True),
        ("Beauty.csv.gz", True),
        ("Beauty.json.gz", True),
        ("Beauty_5.json.gz", True),
        ("Beauty_5.jsonl", True),
        ("meta_Beauty.json.gz", True),
        ("reviews_Beauty.json.gz", True),
        ("reviews_Beauty_5.json.gz", True),
        ("ratings_Beauty.csv", True),
        ("All_Beauty.csv", False),
        ("meta_All_Beauty.json.gz", False),
        ("Beauty_10.json", False),
        ("Beauty_5.csv", False),
        ("meta_Beauty.csv", False),
        ("Beauty.json.gz.part", False),
        ("beauty.csv", False),
    ],
)
def test_files_of_a_category(name: str, wanted: bool) -> None:
    assert belongs(name, "Beauty") == wanted


def test_a_folder_gives_its_raw_files_by_relative_path_and_nothing_hidden(tmp_path: Path) -> None:
    for name in (
        "b/All_Beauty.csv",
        "a.json.gz",
        "notes.md",
        ".hidden.csv",
        "_SUCCESS",
        "_tmp/x.csv",
        "p.parquet",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = find_files(str(tmp_path), None)
    assert [(file.source, file.kind) for file in found] == [
        ("a.json.gz", "lines"),
        ("b/All_Beauty.csv", "lines"),
        ("p.parquet", "parquet"),
    ]
    assert [file.source for file in find_files(str(tmp_path / "b" / "All_Beauty.csv"), None)] == [
        "All_Beauty.csv"
    ]


def test_a_missing_input_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere does not exist: name a folder"):
        find_files(str(tmp_path / "nowhere"), None)
    with pytest.raises(UserError, match="holds no raw files"):
        find_files(str(tmp_path), None)


def test_a_category_without_files_names_the_nearest(tmp_path: Path) -> None:
    for name in ("All_Beauty.csv", "meta_All_Beauty.json.gz", "Magazine_Subscriptions_5.json.gz"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=r"no files of ingest.category = Beauty: nearest are All_Beauty$"):
        find_files(str(tmp_path), "Beauty")


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("Toys_5.json", REVIEW, "reviews"),
        ("Toys.json", b"broken\n" + REVIEW, "reviews"),
        ("meta_Toys.json", PRODUCT, "metadata"),
        ("products.json", PRODUCT, "metadata"),
        ("Toys.csv", b"B1,A1,5.0,1400000000\n", "ratings"),
        ("log.csv", b"user,item,time\na,b,1\n", "events"),
        ("log.csv", b"\xef\xbb\xbfuser,item,time\r\na,b,1\r\n", "events"),
        ("sequences.txt", b"1 2 3\n", "sequences"),
        ("readme.txt", b"words\n", None),
        ("item2attributes.json", b'{"1": [2, 3]}\n', None),
    ],
)
def test_formats(tmp_path: Path, name: str, data: bytes, wanted: str | None) -> None:
    for path, packed in ((tmp_path / name, data), (tmp_path / f"{name}.gz", gzip.compress(data))):
        path.write_bytes(packed)
        (file,) = find_files(str(path), None)
        assert recognise(file, ingest_settings()) == wanted
        assert recognise(file, ingest_settings("format=sequences")) == "sequences"


def test_the_header_of_a_log_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b'\xef\xbb\xbfuser,"item",time\r\na,b,1\r\n')
    assert header(find_files(str(path), None)[0], ingest_settings()) == ["user", "item", "time"]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("Toys.csv", b"", "is empty: fetch it again"),
        ("Toys.csv.gz", gzip.compress(b"", mtime=0), "is empty: fetch it again"),
        ("Toys.json.gz", gzip.compress(REVIEW, mtime=0)[:9], "is damaged from its start: fetch it again"),
        (
            "log.csv",
            b"userId,movieId,timestamp\n1,2,3\n",
            "and no user: set ingest.columns.user to one of them",
        ),
    ],
)
def test_files_that_cannot_be_read_are_a_sentence(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError, match=sentence) as error:
        recognise(find_files(str(path), None)[0], ingest_settings())
    assert name in str(error.value)
