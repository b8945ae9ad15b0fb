from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia.config import load_config
from sequoia.ingest.bronze_rows import rows_of
from sequoia.ingest.files import chunks
from sequoia.ingest.files.chunks import Chunk, cut, with_line_numbers
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.gunzip import DamagedError, pieces
from sequoia.ingest.settings import IngestSettings

SETTINGS = load_config().ingest
TEXTS = {
    "even": "B1,A1,5.0,1400000000\n" * 40,
    "open end": "B1,A1,5.0,1400000000\nB22,A2,4.0,1400000001\nB333,A3,3.0,1400000002",
    "blank lines": "\n\nB1,A1,5.0,1400000000\n\n\nB2,A2,4.0,1400000001\n\n",
    "one long line": "B1," + "A" * 500 + ",5.0,1400000000\nB2,A2,4.0,1400000001\n",
    "marks and carriage returns": "\ufeffB1,A1,5.0,1400000000\r\nB2,A2,4.0,1400000001\r\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_line_lies_in_one_span_wherever_spans_end(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, newline="")
    data = path.read_bytes()
    for width in (1, 2, 7, 50, len(data)):
        for size in (1, 3, 1000):
            spans = [(begin, min(begin + width, len(data))) for begin in range(0, len(data), width)]
            assert b"".join(b"".join(pieces(str(path), size, span)) for span in spans) == data


@pytest.mark.spark
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("header", [False, True])
def test_rows_and_line_numbers_of_a_cut_file_are_those_of_the_whole(
    text: str, header: bool, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"item,user,rating,time\n{text}" if header else text, newline="")
    monkeypatch.setattr(chunks, "SMALLEST", 30)
    whole = Chunk(
        file=find_files(str(path), None)[0],
        form="events" if header else "ratings",
        fingerprint="f",
        header=["item", "user", "rating", "time"] if header else None,
    )
    parts = with_line_numbers(spark, cut([whole], 1000))
    assert len(parts) > 1
    rows = [row for part in parts for table in rows_of(part, SETTINGS) for row in table.to_pylist()]
    assert rows == [row for table in rows_of(whole, SETTINGS) for row in table.to_pylist()]
    assert [row["line"] for row in rows] == [*range(1, len(rows) + 1)]


def zipped(path: Path, text: str) -> Chunk:
    with gzip.open(path, "wb") as file:
        file.write(text.encode())
    header = text.split("\n")[0].split(",") if text.startswith("item") else None
    found = find_files(str(path), None)[0]
    return Chunk(file=found, form="events" if header else "ratings", fingerprint="f", header=header)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("header", ["", "item,user,rating,time\n"])
def test_rows_and_line_numbers_of_a_zipped_file_are_the_same_by_any_number_of_threads(
    text: str, header: str, tmp_path: Path
) -> None:
    whole = zipped(tmp_path / "log.csv.gz", header + text + "\ufeffB9,A9,5.0,1400000000\n" * 3)
    for size in (7, 60, 10_000):
        read = [list(rows_of(replace(whole, threads=threads), SETTINGS, size=size)) for threads in (1, 3)]
        one, three = ([row for table in tables for row in table.to_pylist()] for tables in read)
        assert one == three
        assert [row["line"] for row in one] == [*range(1, len(one) + 1)]


def items_before_damage(chunk: Chunk, settings: IngestSettings) -> list[str | None]:
    items: list[str | None] = []

    def read_all() -> None:
        for table in rows_of(chunk, settings, size=10_000):
            items.extend(table.column("item").to_pylist())

    with pytest.raises(DamagedError, match="too early"):
        read_all()
    return items


def test_damage_comes_behind_the_rows_before_it_by_several_threads_too(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "log.csv.gz", "".join(f"B{line},A1,5.0,1400000000\n" for line in range(50_000)))
    path = Path(whole.file.path)
    path.write_bytes(path.read_bytes()[:-5000])
    settings = SETTINGS.model_copy(update={"on_damage": "keep"})
    one, three = (items_before_damage(replace(whole, threads=threads), settings) for threads in (1, 3))
    assert one == three == [*(f"B{line}" for line in range(len(one) - 1)), None]
    assert 10_000 < len(one) < 50_000


def test_only_a_stream_that_would_be_read_when_all_others_are_done_gets_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "LONG", 10)
    small = [zipped(tmp_path / f"{number}.csv.gz", f"B{number},A1,5.0,1400000000\n") for number in range(8)]
    large = zipped(tmp_path / "large.csv.gz", "".join(f"B{line},A1,5.0,1\n" for line in range(5_000)))
    assert [chunk.threads for chunk in cut(small, 2)] == [1] * 8
    assert [chunk.threads for chunk in cut([*small, large], 2)] == [1] * 8 + [2]
    assert [chunk.threads for chunk in cut([large], 1)] == [1]
