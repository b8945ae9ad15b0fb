from __future__ import annotations

from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.first_look import check_first_lines
from sequoia.ingest.settings import Format

RIGHT = b"B00005N7P0,AH2IFH762VY5U,5.0,1005177600\n"
SWAPPED = b"AH2IFH762VY5U,B00005N7P0,5.0,1005177600\n"
ISBN = b"0000031852,A1REUF3A1YCPHM,5.0,1005177600\n"
OTHER = b"12,34,5.0,1005177600\n"


def look(folder: Path, name: str, data: bytes, form: Format = "ratings", *overrides: str) -> None:
    path = folder / name
    path.write_bytes(data)
    settings = load_config(overrides=[f"ingest.{override}" for override in overrides]).ingest
    check_first_lines(find_files(str(path), None)[0], form, settings, None)


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
    look(tmp_path, name, line * 20, "ratings", *overrides)


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
        look(tmp_path, name, line * 20, "ratings", *overrides)


def test_a_file_that_is_mostly_malformed_is_refused_with_the_commonest_reason(tmp_path: Path) -> None:
    lines = RIGHT * 4 + b"B1\n" * 5 + b"\n"
    with pytest.raises(
        UserError, match=r"6 of its first 10 rows .*max_quarantined = 0.5 \(commonest: 1 columns"
    ):
        look(tmp_path, "Toys.csv", lines)
    look(tmp_path, "Toys.csv", lines, "ratings", "max_quarantined=0.6")


def test_only_the_first_thousand_lines_count(tmp_path: Path) -> None:
    look(tmp_path, "Toys.csv", RIGHT * 1000 + b"B1\n" * 5000)
