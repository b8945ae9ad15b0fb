from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequoia.buckets.order import order_events, run_starts

DAY = 86_400_000
EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3), st.integers(0, 7)), max_size=60)


@given(EVENTS, st.sampled_from([1, 1000, DAY, 2**46]))
def test_events_are_ordered_by_user_time_and_item_and_equal_ones_stay_in_order(
    events: list[tuple[int, int, int]], unit: int
) -> None:
    """Times 2^46 apart leave no room for all three in one number."""
    users, times, items = (np.array([event[at] for event in events], dtype=np.int64) for at in range(3))
    found = order_events(users.astype(np.int32), times * unit, items.astype(np.int32))
    assert found.tolist() == sorted(range(len(events)), key=lambda row: events[row])


@pytest.mark.parametrize("largest_item", [3, 2**30])
def test_items_that_do_not_fit_beside_user_and_time_still_decide(largest_item: int) -> None:
    rng = np.random.default_rng(1)
    size = 20_000
    users, times = rng.integers(0, 3000, size).astype(np.int32), rng.integers(0, 40, size) * 1000
    items = rng.integers(0, largest_item, size).astype(np.int32)
    found = order_events(users, times, items)
    assert found.tolist() == np.lexsort((items, times, users)).tolist()


def test_a_run_starts_where_any_key_changes() -> None:
    first, second = np.array([1, 1, 1, 2, 2]), np.array([7, 7, 8, 8, 8])
    assert run_starts(first, second).tolist() == [True, False, True, True, False]
    assert run_starts(np.array([])).tolist() == []
