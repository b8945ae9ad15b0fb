from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequoia.ingest.formats.odd_lines import PIECE, cut, without_lines

LINES = st.lists(st.binary(max_size=6).map(lambda text: text.replace(b"\n", b"")), min_size=1, max_size=40)


@given(lines=LINES, row=st.none() | st.integers(min_value=0, max_value=60))
def test_parts_are_whole_lines_in_order_and_smaller_than_the_block(
    lines: list[bytes], row: int | None
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    message = "no idea" if row is None else f"odd in row {row}"
    parts = list(cut(data, ValueError(message), 1))
    assert b"".join(parts) == data
    assert all(part.endswith(b"\n") for part in parts)
    if len(lines) > 8:
        assert all(len(part) < len(data) for part in parts)


@pytest.mark.parametrize("message", ["JSON parse error: odd in row {}", "CSV parse error: Row #{}: odd"])
@pytest.mark.parametrize("odd", [0, 1, 17, 98, 99])
@pytest.mark.parametrize("counted_from", [0, 1])
def test_the_row_that_is_named_is_set_apart(message: str, odd: int, counted_from: int) -> None:
    data = b"".join(b"%d\n" % line for line in range(100))
    parts = list(cut(data, ValueError(message.format(odd + counted_from)), 0))
    (holder,) = [part for part in parts if b"%d" % odd in part.split(b"\n")]
    assert holder.count(b"\n") <= 3


def test_without_a_row_there_are_eight_parts_of_about_one_size() -> None:
    parts = list(cut(b"line\n" * 400, ValueError("odd somewhere"), 1))
    assert [part.count(b"\n") for part in parts] == pytest.approx([50] * 8, abs=8)


@pytest.mark.parametrize("message", ["odd somewhere", "odd in row 700"])
def test_a_large_block_is_cut_into_small_pieces(message: str) -> None:
    parts = list(cut(b"line\n" * 1100, ValueError(message), 0))
    assert [part.count(b"\n") for part in parts] == [PIECE, PIECE, 1100 - 2 * PIECE]


def test_while_there_are_tries_the_rest_of_a_large_block_stays_whole() -> None:
    parts = list(cut(b"line\n" * 1100, ValueError("odd in row 700"), 1))
    assert [part.count(b"\n") for part in parts] == [699, 3, 398]
    assert len(list(cut(b"line\n" * 1100, ValueError("odd in row 1099"), 1))) == 2


@given(lines=LINES, chance=st.randoms(use_true_random=False))
def test_lines_are_told_apart_in_order(lines: list[bytes], chance: Random) -> None:
    odd = np.array([chance.random() < 0.4 for _ in lines])
    rest, apart = without_lines(b"".join(line + b"\n" for line in lines), odd)
    for found, wanted in ((rest, False), (apart, True)):
        assert found == b"".join(
            line + b"\n" for line, is_odd in zip(lines, odd, strict=True) if is_odd == wanted
        )
