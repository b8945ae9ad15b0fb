from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequoia.buckets.strings import BLOCK, hash_strings, take_strings

MASK = 2**64 - 1
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=60)


def slow_hashes(text: str) -> tuple[int, int]:
    """Hash one string with Python's own integers."""
    data = text.encode()
    first = (len(data) + 1) * 0x9E3779B97F4A7C15 & MASK
    second = first ^ 0xD6E8FEB86659FD93
    for start in range(0, len(data), 8):
        word = int.from_bytes(data[start : start + 8], "little")
        first ^= word
        first = (first ^ first >> 30) * 0xBF58476D1CE4E5B9 & MASK
        first = (first ^ first >> 27) * 0x94D049BB133111EB & MASK
        first ^= first >> 31
        second = (second + word) * 0xD6E8FEB86659FD93 & MASK
        second ^= second >> 32
    return first, second


@given(TEXTS)
def test_hashes_are_those_of_a_loop_over_words(texts: list[str | None]) -> None:
    found = hash_strings(pa.array(texts, pa.string()))
    assert [*zip(found.first.tolist(), found.second.tolist(), strict=True)] == [
        slow_hashes(text or "") for text in texts
    ]


@given(TEXTS, st.integers(0, 10))
def test_a_slice_of_an_array_hashes_like_its_strings(texts: list[str | None], start: int) -> None:
    part = pa.array(texts, pa.string()).slice(start)
    alone = pa.array(texts[start:], pa.string())
    assert hash_strings(part).first.tolist() == hash_strings(alone).first.tolist()


def test_strings_behind_the_first_block_and_very_long_ones() -> None:
    texts = [f"{number}" for number in range(BLOCK + 5)] + ["x" * 100_000]
    found = hash_strings(pa.array(texts))
    for place in (0, BLOCK - 1, BLOCK, BLOCK + 4, BLOCK + 5):
        assert (found.first[place], found.second[place]) == slow_hashes(texts[place])


def test_a_million_ids_have_a_million_hashes() -> None:
    found = hash_strings(pa.array([f"A{number:013d}" for number in range(1_000_000)]))
    assert len(np.unique(found.first)) == len(np.unique(found.second)) == 1_000_000


@pytest.mark.parametrize("texts", [["ab", "cd", "ef"], ["a", "", "efg"], ["ä", None, "é"], []])
def test_strings_are_taken_by_place(texts: list[str | None]) -> None:
    array = pa.array(["zz", *texts], pa.string()).slice(1)
    for places in ([], [0], [2, 0, 0, 1]):
        if texts or not places:
            found = take_strings(array, np.array(places, dtype=np.int64))
            assert found.to_pylist() == [texts[place] for place in places]
