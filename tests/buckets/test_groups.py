from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sequoia.buckets.groups import group
from sequoia.buckets.strings import Hashes

# Few values, and values that agree in their upper bits: hashes collide all the time.
NARROW = st.one_of(st.integers(0, 3), st.integers(2**63, 2**63 + 3), st.integers(2**64 - 3, 2**64 - 1))
PAIRS = st.lists(st.tuples(NARROW, st.integers(0, 2)), max_size=80)


@given(PAIRS)
def test_groups_are_the_distinct_pairs_in_order_even_when_first_hashes_collide(
    pairs: list[tuple[int, int]],
) -> None:
    first, second = (np.array([pair[at] for pair in pairs], dtype=np.uint64) for at in (0, 1))
    found = group(Hashes(first=first, second=second))
    distinct = sorted(set(pairs))
    assert [*zip(found.hashes.first.tolist(), found.hashes.second.tolist(), strict=True)] == distinct
    assert found.of_rows().tolist() == [distinct.index(pair) for pair in pairs]
    assert found.codes.tolist() == sorted(found.codes.tolist())
    assert [pairs[row] for row in found.order] == sorted(pairs)
    assert [pairs[row] for row in found.firsts] == distinct


@given(st.lists(st.integers(0, 4), max_size=60))
def test_rows_of_a_group_keep_their_order(values: list[int]) -> None:
    first = np.array(values, dtype=np.uint64)
    found = group(Hashes(first=first, second=first))
    assert found.order.tolist() == sorted(range(len(values)), key=lambda row: values[row])
