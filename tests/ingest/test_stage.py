"""The whole stage on a few lines that can be counted by hand, and what a user's mistake leaves behind."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sequoia.errors import UserError, as_user_error
from sequoia.ingest.stage import run
from sequoia.road.stage import Context, StageResult

pytestmark = [pytest.mark.spark, pytest.mark.delta]

DAY = 1_400_000_000
Make = Callable[..., Context]
SILVER = ("interactions", "items", "quarantine", "files")
TABLES = ("events", "products", *SILVER)


def review(user: str, item: str, day: int = 0, stars: float = 5.0) -> str:
    values = {"reviewerID": user, "asin": item, "overall": stars, "unixReviewTime": DAY + 86400 * day}
    return json.dumps({**values, "verified": True, "vote": "1,341"})


def contents(context: Context, table: str) -> list[tuple[Any, ...]]:
    rows = context.tables.read(table).drop("line", "events_version", "products_version").collect()
    return sorted((tuple(row) for row in rows), key=repr)


def versions(context: Context) -> dict[str, int]:
    return {table: context.tables.version(table) for table in TABLES}


def accounts(result: StageResult) -> dict[str, tuple[int, ...]]:
    names = ("lines", "kept", "quarantined", "duplicates")
    return {file["name"]: tuple(file[name] for name in names) for file in result.details["files"]}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "input"
    folder.mkdir()
    lines = [
        review("A1", "B1"),
        review("A1", "B2", 1),
        "",
        review("A2", "B1"),
        '{"asin": "B1"',
        review("A1", "B2", 1),
    ]
    with gzip.open(folder / "Toys_5.json.gz", "wt") as file:
        file.write("\n".join(lines))
    (folder / "Toys.csv").write_text(f"B1,A1,1.0,{DAY}\nB3,A3,4.0,{DAY}\nB3,A3\n")
    products = [
        {"asin": "B1", "title": "One"},
        {"asin": "B1", "title": "One", "price": "$7.00"},
        {"title": "x"},
    ]
    (folder / "meta_Toys.json").write_text("".join(f"{product!r}\n" for product in products))
    (folder / "All_Toys.csv").write_text("not read\n")
    return folder


def test_every_line_is_accounted_for_and_a_second_run_changes_nothing(raw: Path, make_context: Make) -> None:
    settings = (f"ingest.raw={raw}", "ingest.category=Toys", "ingest.max_quarantined=0.9")
    context = make_context(*settings)
    result = run(context)
    assert accounts(result) == {
        "Toys.csv": (3, 1, 1, 1),
        "Toys_5.json.gz": (6, 3, 2, 1),
        "meta_Toys.json": (3, 1, 1, 1),
    }
    assert (result.rows_in, result.rows_out) == (12, 5)
    assert (result.details["interactions"], result.details["products"]) == (4, 1)
    at = DAY * 1000
    assert contents(context, "interactions") == [
        ("A1", "B1", at, 5.0, True, 1341, "Toys_5.json.gz"),
        ("A1", "B2", at + 86_400_000, 5.0, True, 1341, "Toys_5.json.gz"),
        ("A2", "B1", at, 5.0, True, 1341, "Toys_5.json.gz"),
        ("A3", "B3", at, 4.0, None, None, "Toys.csv"),
    ]
    assert contents(context, "items") == [("B1", "One", None, 7.0, [], None, 7)]
    assert [tuple(row) for row in context.tables.read("quarantine").orderBy("source", "line").collect()] == [
        ("Toys.csv", 3, "2 columns, not 4", "B3,A3"),
        ("Toys_5.json.gz", 3, "blank line", ""),
        ("Toys_5.json.gz", 5, "neither JSON nor a Python literal", '{"asin": "B1"'),
        ("meta_Toys.json", 3, "item is missing", "{'title': 'x'}"),
    ]
    before = versions(context)
    assert run(context) == result
    assert versions(context) == before
    _edit_and_remove(raw, make_context(*settings, "ingest.max_dropped=0.25"))


def _edit_and_remove(raw: Path, context: Context) -> None:
    """Edit a byte of one file and take another out: the tables follow, the third file's rows stay."""
    text = (raw / "Toys.csv").read_text()
    (raw / "Toys.csv").write_text(text.replace("4.0", "2.0"))
    (raw / "meta_Toys.json").unlink()
    result = run(context)
    assert accounts(result) == {"Toys.csv": (3, 1, 1, 1), "Toys_5.json.gz": (6, 3, 2, 1)}
    assert ("A3", "B3", DAY * 1000, 2.0, None, None, "Toys.csv") in contents(context, "interactions")
    assert contents(context, "items") == []
    assert {row["source"] for row in context.tables.read("events").select("source").collect()} == {
        "Toys.csv",
        "Toys_5.json.gz",
    }


def test_a_damaged_gzip_is_refused_with_its_accounts_or_kept_up_to_the_damage(
    tmp_path: Path, make_context: Make
) -> None:
    path = tmp_path / "Toys_5.json.gz"
    text = "\n".join([*(review(f"A{number}", "B1") for number in range(3)), "bad", '{"cut'])
    path.write_bytes(gzip.compress(text.encode())[:-6])
    context = make_context(f"ingest.raw={path}")
    with pytest.raises(Exception, match="is damaged after line 4") as error:
        run(context)
    sentence = str(as_user_error(error.value))
    assert sentence.startswith(f"{path} is damaged after line 4 (3 good, 1 quarantined before it")
    assert sentence.endswith("or set ingest.on_damage=keep to use what is before it")
    assert context.tables.read("events").count() == 0
    assert not context.tables.exists("interactions")
    kept = make_context(f"ingest.raw={path}", "ingest.on_damage=keep")
    result = run(kept)
    assert accounts(result) == {"Toys_5.json.gz": (5, 3, 2, 0)}
    assert result.details["reasons"] == {"damaged gzip": 1, "neither JSON nor a Python literal": 1}


def test_a_damaged_file_costs_only_itself(
    tmp_path: Path, make_context: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    metadata = folder / "meta_Toys.json.gz"
    metadata.write_bytes(gzip.compress(b'{"asin": "B1", "title": "One"}\n'))
    (folder / "Toys_5.json.gz").write_bytes(gzip.compress(review("A1", "B1").encode()))
    context = make_context(f"ingest.raw={folder}")
    run(context)
    before = {table: contents(context, table) for table in SILVER}

    intact = metadata.read_bytes()
    metadata.write_bytes(intact[:-6])
    (folder / "Late_5.json.gz").write_bytes(gzip.compress(review("A2", "B2").encode()))
    with pytest.raises(UserError, match=r"meta_Toys\.json\.gz is damaged"):
        run(context)
    assert {table: contents(context, table) for table in SILVER} == before

    # The other file was read and kept: once the metadata are fetched again, they alone are read.
    metadata.write_bytes(intact + b"")
    capsys.readouterr()
    assert accounts(run(context))["Late_5.json.gz"] == (1, 1, 0, 0)
    assert "reading 1 of 3 files" in capsys.readouterr().err


def test_files_of_too_many_bad_lines_are_refused_wherever_they_begin(
    tmp_path: Path, make_context: Make
) -> None:
    path = tmp_path / "Toys.csv"
    path.write_text(f"B1,A1,1.0,{DAY}\n" * 1100 + "B1\n" * 1200)
    with pytest.raises(UserError, match=r"1200 of its 2300 rows cannot be used, more than ingest\.max_quar"):
        run(make_context(f"ingest.raw={path}"))


def test_an_input_that_lacks_much_of_the_last_one_stops_before_rows_are_dropped(
    tmp_path: Path, make_context: Make
) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    for name, lines in (("Toys", 3), ("Games", 1)):
        text = "".join(f"B{name},A{number},1.0,{DAY}\n" for number in range(lines))
        (folder / f"{name}.csv").write_text(text)
    context = make_context(f"ingest.raw={folder}")
    run(context)
    (folder / "Games.csv").unlink()
    sentence = (
        r"has 3 lines, the last ingest had 4 \(Games\.csv are gone\): 25% fewer, more than ingest\.max_dr"
    )
    with pytest.raises(UserError, match=sentence):
        run(context)
    assert context.tables.read("interactions").count() == 4
    assert accounts(run(make_context(f"ingest.raw={folder}", "ingest.max_dropped=0.25"))) == {
        "Toys.csv": (3, 3, 0, 0)
    }
    assert context.tables.read("interactions").count() == 3


def test_a_mistake_found_by_looking_leaves_no_table(raw: Path, make_context: Make) -> None:
    (raw / "Toys_5.json.gz").write_bytes(gzip.compress(b""))
    for overrides in (["ingest.category=Toys"], ["ingest.category=Games"]):
        context = make_context(f"ingest.raw={raw}", *overrides)
        with pytest.raises(UserError):
            run(context)
        assert not any(context.tables.exists(table) for table in TABLES)
