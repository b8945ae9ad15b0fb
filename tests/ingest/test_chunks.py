from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sequoia.config import load_config
from sequoia.ingest import chunks
from sequoia.ingest.chunks import Chunk, cut, with_line_numbers
from sequoia.ingest.find import find_files
from sequoia.ingest.gunzip import pieces
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
