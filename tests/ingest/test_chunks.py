from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia.config import load_config
from sequoia.ingest.files import chunks, unzip
from sequoia.ingest.files.chunks import Chunk, cut, with_line_numbers
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.gunzip import pieces
from sequoia.ingest.read_lines import rows_of

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


@pytest.mark.spark
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("header", ["", "item,user,rating,time\n"])
def test_rows_and_line_numbers_of_a_long_zipped_file_are_those_of_one_task(
    text: str, header: str, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With marks at the start of later lines, which are none there, whichever chunk begins with one."""
    whole = zipped(tmp_path / "log.csv.gz", header + text + "\ufeffB9,A9,5.0,1400000000\n" * 3)
    monkeypatch.setattr(unzip, "LONG", 10)
    monkeypatch.setattr(unzip, "BLOCK", 7)
    for size in (1, 60, 10_000):
        monkeypatch.setattr(unzip, "LARGEST", size)
        report = unzip._unzip(whole, str(tmp_path))
        parts = unzip._chunks(whole, report)
        assert (len(parts) > 1) == (size < 10_000)
        rows = [row for part in parts for table in rows_of(part, SETTINGS) for row in table.to_pylist()]
        assert rows == [row for table in rows_of(whole, SETTINGS) for row in table.to_pylist()]
    (same,) = unzip.unzip_long(spark, [whole], str(tmp_path))[:1]
    assert same.unzipped is not None


@pytest.mark.spark
def test_a_damaged_zipped_file_is_left_to_the_one_who_says_where(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = zipped(tmp_path / "log.csv.gz", TEXTS["even"] * 50)
    path = Path(whole.file.path)
    path.write_bytes(path.read_bytes()[:-20])
    monkeypatch.setattr(unzip, "LONG", 10)
    assert unzip.unzip_long(spark, [whole], str(tmp_path)) == [whole]
