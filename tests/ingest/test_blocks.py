from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequoia.ingest.files.blocks import Block, blocks, head
from sequoia.ingest.files.gunzip import DamagedError


def written(folder: Path, data: bytes, name: str = "a.txt") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def test_byte_order_mark_carriage_returns_and_a_missing_last_line_end_are_mended(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfone\r\ntwo\r\nthree\r")
    assert list(blocks(path, max_line_bytes=1024)) == [Block(data=b"one\ntwo\n"), Block(data=b"three\n")]


def test_a_line_that_is_too_long_comes_alone_and_cut(tmp_path: Path) -> None:
    path = written(tmp_path, b"one\n" + b"x" * 5000 + b"\ntwo\n" + b"y" * 1024 + b"\n")
    found = list(blocks(path, max_line_bytes=1024, size=64))
    assert b"".join(block.data for block in found if not block.fault) == b"one\ntwo\n" + b"y" * 1024 + b"\n"
    (long,) = [block for block in found if block.fault]
    assert long.fault == "longer than max_line_bytes"
    assert 1024 < len(long.data) < 1024 + 128


def test_the_cut_line_of_a_damaged_gzip_comes_last_with_a_fault(tmp_path: Path) -> None:
    packed = gzip.compress(b"one\ntwo\nthr")
    path = written(tmp_path, packed[:-4], "a.gz")
    found = blocks(path, max_line_bytes=1024)
    assert next(found) == Block(data=b"one\ntwo\n")
    assert next(found) == Block(data=b"thr\n", fault="damaged gzip")
    with pytest.raises(DamagedError):
        next(found)


def test_head_reads_no_more_lines_than_asked(tmp_path: Path) -> None:
    path = written(tmp_path, b"".join(b"%d\n" % number for number in range(100_000)))
    assert head(path, lines=3, max_line_bytes=1024) == [b"0", b"1", b"2"]


@given(
    lines=st.lists(
        st.binary(max_size=40).filter(lambda line: b"\n" not in line and b"\r" not in line), max_size=30
    ),
    size=st.integers(3, 64),
)
def test_blocks_of_any_size_hold_the_lines_in_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    path = written(tmp_path_factory.mktemp("blocks"), data)
    joined = b"".join(block.data for block in blocks(path, max_line_bytes=1024, size=size))
    assert joined == data.removeprefix(b"\xef\xbb\xbf")
