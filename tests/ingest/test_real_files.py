"""Known counts of real files, and the same tables whatever the order of lines."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sequoia.config import load_config
from sequoia.index.stage import run as index
from sequoia.ingest.bronze_rows import rows_of
from sequoia.ingest.files.chunks import Chunk
from sequoia.ingest.files.find import find_files
from sequoia.ingest.settings import Format
from sequoia.ingest.stage import run
from sequoia.road.stage import Context

Make = Callable[..., Context]
MAGAZINES = "Magazine_Subscriptions"
CSV = f"{MAGAZINES}.csv.gz"


def contents(context: Context, table: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in context.tables.read(table).collect()), key=repr)


def told(details: dict[str, Any]) -> dict[str, Any]:
    """Return the details but for what another order of lines changes in a file itself."""
    files = [
        {key: value for key, value in file.items() if key not in ("bytes", "fingerprint")}
        for file in details["files"]
    ]
    return details | {"files": files}


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.slow
def test_magazine_ratings_reviews_and_metadata(shared_data: Path, tmp_path: Path, make_context: Make) -> None:
    folder = shared_data / "amazon2018"
    context = make_context(f"ingest.raw={folder}", f"ingest.category={MAGAZINES}")
    result = run(context)
    files = {file["name"]: file for file in result.details["files"]}
    assert {name: file["lines"] for name, file in files.items()} == {
        CSV: 89_689,
        f"{MAGAZINES}_5.json.gz": 2_375,
        f"meta_{MAGAZINES}.json.gz": 3_385,
    }
    # Every review is in the CSV, and wins over it there.
    assert result.details["interactions"] == 89_689 - 1_222
    reviews = files[f"{MAGAZINES}_5.json.gz"]
    assert files[CSV]["kept"] == 89_689 - 1_222 - reviews["kept"]
    assert files[f"meta_{MAGAZINES}.json.gz"]["kept"] == 2_320
    assert result.details["reasons"] == {}
    indexed = index(context).details["active"]
    assert indexed == {"users": 72_098, "items": 2_428}
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for name in files:
        lines = gzip.decompress((folder / name).read_bytes()).splitlines(keepends=True)
        random.Random(7).shuffle(lines)
        (shuffled / name).write_bytes(gzip.compress(b"".join(lines), 1))
    other = make_context(f"ingest.raw={shuffled}", f"workspace={tmp_path / 'other'}")
    again = run(other)
    assert told(again.details) == told(result.details)
    for table in ("interactions", "items", "quarantine"):
        assert contents(other, table) == contents(context, table)


@pytest.mark.parametrize(
    ("path", "form", "lines", "distinct"),
    [
        (f"amazon2018/{CSV}", "ratings", 89_689, 88_467),
        ("amazon2018/All_Beauty_5.json.gz", "reviews", 5_269, None),
        ("amazon2018/Appliances_5.json.gz", "reviews", 2_277, None),
        ("amazon2014/Beauty/sequences.txt.gz", "sequences", 198_502, 198_502),
        ("amazon2014/Toys_and_Games/sequences.txt.gz", "sequences", 167_597, 167_597),
    ],
)
def test_real_files_parse_without_a_bad_line(
    shared_data: Path, path: str, form: Format, lines: int, distinct: int | None
) -> None:
    (file,) = find_files(str(shared_data / path), None)
    settings = load_config().ingest
    found = pa.concat_tables(rows_of(Chunk(file=file, form=form, fingerprint=""), settings))
    assert len(found) == lines
    assert found.column("reason").null_count == lines
    assert found.column("line").to_pylist() == list(range(1, lines + 1))
    events = found.select(["user", "item", "time"]).group_by(["user", "item", "time"]).aggregate([])
    assert len(events) == (distinct or len(events)) <= lines
