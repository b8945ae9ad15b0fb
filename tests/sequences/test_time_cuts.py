"""The cuts of the global time split on histograms that can be checked by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sequoia.sequences.time_cuts import DAY, choose_cuts


def test_even_days_are_cut_where_the_shares_say() -> None:
    histogram = dict.fromkeys(range(100, 120), 5)
    assert choose_cuts(histogram, valid_share=0.1, test_share=0.2) == (114 * DAY, 116 * DAY)


def test_days_without_events_change_nothing() -> None:
    histogram = {100: 8, 500: 1, 900: 1}
    assert choose_cuts(histogram, valid_share=0.1, test_share=0.1) == (500 * DAY, 900 * DAY)


def test_spans_hold_a_day_even_where_the_share_is_far_less() -> None:
    assert choose_cuts({1: 5, 2: 2, 3: 900}, valid_share=0.01, test_share=0.01) == (2 * DAY, 3 * DAY)


def test_equally_near_cuts_leave_the_earlier_one() -> None:
    # Of ten events 1.5 are wanted: one on day 5, or two on the days 4 and 5.
    assert choose_cuts({1: 6, 2: 1, 3: 1, 4: 1, 5: 1}, valid_share=0.1, test_share=0.15) == (3 * DAY, 4 * DAY)


def test_too_few_days_leave_spans_empty() -> None:
    assert choose_cuts({7: 10}, valid_share=0.1, test_share=0.1) == (8 * DAY, 8 * DAY)
    assert choose_cuts({7: 10, 9: 1}, valid_share=0.1, test_share=0.1) == (9 * DAY, 9 * DAY)


@given(
    st.dictionaries(st.integers(0, 60), st.integers(1, 9), min_size=3),
    st.floats(0.01, 0.45),
    st.floats(0.01, 0.45),
)
def test_no_other_cut_comes_nearer(histogram: dict[int, int], valid_share: float, test_share: float) -> None:
    valid, test = choose_cuts(histogram, valid_share=valid_share, test_share=test_share)
    days = sorted(histogram)
    assert valid // DAY in days[1:]
    assert test // DAY in days[2:]
    assert valid < test

    def miss(begin: int, end: int, share: float) -> float:
        events = sum(count for day, count in histogram.items() if begin <= day * DAY < end)
        return abs(events - share * sum(histogram.values()))

    end = 99 * DAY
    assert all(miss(test, end, test_share) <= miss(day * DAY, end, test_share) for day in days[2:])
    earlier = [day * DAY for day in days[1:] if day * DAY < test]
    assert all(miss(valid, test, valid_share) <= miss(other, test, valid_share) for other in earlier)
