"""A file is known again without reading all of it, or by all of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.fingerprint import SAMPLE_BYTES, SAMPLES, fingerprints

LARGE = SAMPLE_BYTES * SAMPLES * 4


def fingerprint(path: Path, *overrides: str) -> str:
    settings = load_config(overrides=[f"ingest.raw={path}", *overrides]).ingest
    [found] = fingerprints(find_files(str(path), None), settings).values()
    return found


def changed(path: Path, place: int, *, keep_time: bool) -> None:
    """Change one byte, as a tool would that then puts the old time back."""
    about = path.stat()
    with path.open("r+b") as opened:
        opened.seek(place)
        old = opened.read(1)
        opened.seek(place)
        opened.write(bytes([old[0] ^ 1]))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + (0 if keep_time else 1)))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "Toys.csv"
    path.write_bytes(bytes(range(256)) * (LARGE // 256))
    return path


@pytest.mark.parametrize("place", [0, SAMPLE_BYTES - 1, LARGE - 1])
def test_a_byte_in_a_sample_shows_whatever_the_time(large: Path, place: int) -> None:
    before = fingerprint(large)
    assert fingerprint(large) == before
    changed(large, place, keep_time=True)
    assert fingerprint(large) != before


def test_a_byte_between_the_samples_shows_by_the_time_or_by_all_contents(large: Path) -> None:
    sampled, whole = fingerprint(large), fingerprint(large, "ingest.fingerprint=contents")
    changed(large, SAMPLE_BYTES + 1, keep_time=True)
    assert fingerprint(large) == sampled
    assert fingerprint(large, "ingest.fingerprint=contents") != whole
    changed(large, SAMPLE_BYTES + 1, keep_time=False)
    assert fingerprint(large) != sampled
    assert fingerprint(large, "ingest.fingerprint=contents") == whole


@pytest.mark.parametrize("size", [0, 1, SAMPLE_BYTES, SAMPLE_BYTES + 1])
def test_small_files_are_read_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "Toys.csv"
    path.write_bytes(b"a" * size)
    before = fingerprint(path)
    path.write_bytes(b"a" * size + b"b")
    assert fingerprint(path) != before


def test_other_settings_of_the_reader_are_another_reading(large: Path) -> None:
    assert fingerprint(large) != fingerprint(large, "ingest.ratings_order=user,item")
