from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.first_look import look
from sequoia.ingest.settings import Format

RIGHT = b"B00005N7P0,AH2IFH762VY5U,5.0,1005177600\n"
SWAPPED = b"AH2IFH762VY5U,B00005N7P0,5.0,1005177600\n"
ISBN = b"0000031852,A1REUF3A1YCPHM,5.0,1005177600\n"
OTHER = b"12,34,5.0,1005177600\n"


def look_at(folder: Path, name: str, data: bytes, form: Format = "ratings", *overrides: str) -> None:
    path = folder / name
    path.write_bytes(data)
    settings = load_config(overrides=[f"ingest.{override}" for override in overrides]).ingest
    look(find_files(str(path), None)[0], form, settings)


@pytest.mark.parametrize(
    ("name", "line", "overrides"),
    [
        ("Toys.csv", RIGHT, ()),
        ("Toys.csv", ISBN, ()),
        ("Toys.csv", OTHER, ()),
        ("ratings_Toys.csv", SWAPPED, ()),
        ("Toys.csv", SWAPPED, ("ratings_order=user,item",)),
    ],
)
def test_ratings_in_the_expected_order_or_with_ids_of_no_known_shape_pass(
    tmp_path: Path, name: str, line: bytes, overrides: tuple[str, ...]
) -> None:
    look_at(tmp_path, name, line * 20, "ratings", *overrides)


@pytest.mark.parametrize(
    ("name", "line", "overrides", "found"),
    [
        ("Toys.csv", SWAPPED, (), "user,item"),
        ("ratings_Toys.csv", RIGHT, (), "item,user"),
        ("Toys.csv", RIGHT, ("ratings_order=user,item",), "item,user"),
    ],
)
def test_swapped_columns_are_a_sentence_with_the_remedy(
    tmp_path: Path, name: str, line: bytes, overrides: tuple[str, ...], found: str
) -> None:
    with pytest.raises(UserError, match=rf"{name} has its .* order {found} .* ingest.ratings_order={found}$"):
        look_at(tmp_path, name, line * 20, "ratings", *overrides)


def test_a_file_that_is_mostly_malformed_is_refused_with_the_commonest_reason(tmp_path: Path) -> None:
    lines = RIGHT * 4 + b"B1\n" * 5 + b"\n"
    with pytest.raises(
        UserError, match=r"6 of its first 10 rows .*max_quarantined = 0.5 \(commonest: 1 columns"
    ):
        look_at(tmp_path, "Toys.csv", lines)
    look_at(tmp_path, "Toys.csv", lines, "ratings", "max_quarantined=0.6")


def test_only_the_first_thousand_lines_count(tmp_path: Path) -> None:
    look_at(tmp_path, "Toys.csv", RIGHT * 1000 + b"B1\n" * 5000)


def test_a_header_with_a_name_twice_is_a_sentence(tmp_path: Path) -> None:
    log = b"user,item,time,rating,user\nu,i,1400000000,4.0,v\n"
    with pytest.raises(UserError, match=r"has 2 columns with the name user: rename all but one"):
        look_at(tmp_path, "log.csv", log, "events")


def test_a_table_whose_first_rows_are_no_events_is_refused_before_it_is_read(tmp_path: Path) -> None:
    rows = {"user": ["u"] * 2000, "item": ["i"] * 2000, "rating": [None] * 2000}
    path = tmp_path / "log.parquet"

    def look_at_times(times: list[int]) -> list[str] | None:
        pq.write_table(pa.table({**rows, "time": times}), path)
        return look(find_files(str(path), None)[0], "events", load_config().ingest)

    with pytest.raises(UserError, match=r"600 of its first 1000 rows .*time before first_time, 600"):
        look_at_times([5] * 600 + [1_400_000_000] * 1400)
    assert look_at_times([1_400_000_000] * 1000 + [5] * 1000) is None
