from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sequoia.ingest.files.gunzip import DamagedError, pieces

TEXT = b"".join(b"line %d of a file that is zipped\n" % number for number in range(50_000))


def read(path: Path) -> tuple[bytes, bool]:
    found = b""
    try:
        for piece in pieces(str(path), 1 << 16):
            found += piece
    except DamagedError:
        return found, True
    return found, False


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(TEXT),
        gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:]),
        gzip.compress(TEXT) + b"\0" * 600_000,
    ],
    ids=["one member", "two members", "padded with zeros"],
)
def test_a_whole_gzip_gives_its_contents(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(packed)
    assert read(path) == (TEXT, False)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_gzip_gives_what_is_before_the_cut(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.gz"
    packed = gzip.compress(TEXT)
    path.write_bytes(packed[: int(len(packed) * share)])
    found, damaged = read(path)
    assert damaged
    assert TEXT.startswith(found)
    assert len(found) > 0.9 * share * len(TEXT)


def test_a_wrong_checksum_is_damage_after_all_contents(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1
    path.write_bytes(packed)
    assert read(path) == (TEXT, True)


def test_corrupt_bytes_in_the_middle_are_damage_and_the_start_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    packed = bytearray(gzip.compress(TEXT))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(packed)
    found, damaged = read(path)
    assert damaged
    sound = TEXT[: int(len(TEXT) * 0.4)]
    assert found.startswith(sound)


def test_bytes_that_are_no_gzip_are_damage_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"not a gzip at all")
    assert read(path) == (b"", True)
