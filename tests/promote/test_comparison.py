"""How often the gate errs: simulated users of two models whose true quality is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from promote.simulated import DEMANDS, FIRST, GATE, MISS, joint, share_passed, users_it_takes

from sequoia.evaluate.metrics import BUCKETS
from sequoia.promote.comparison import Comparison, compare, users_needed, with_two_extreme_users
from sequoia.promote.rules import enough_users

TRIALS = 400


def at_most(share: float) -> float:
    """Return what a true share leaves in 400 trials, with a chance of one in a thousand to be more."""
    return share + 3.09 * math.sqrt(share * (1 - share) / TRIALS)


@pytest.mark.parametrize("users", [20, 100, 1000, 10_000])
@pytest.mark.parametrize(("first", "fresher"), [(True, False), (False, False), (False, True)])
@pytest.mark.parametrize(
    ("own", "other", "both"),
    [
        (0.08, 0.12, 0.05),  # a third worse
        (0.114, 0.12, 0.10),  # worse by the 5 % that the gate is asked to see, and much alike
        (0.38, 0.40, 0.36),
        (0.855, 0.90, 0.85),
    ],
)
def test_a_truly_worse_challenger_rarely_passes(
    users: int, first: bool, fresher: bool, own: float, other: float, both: float
) -> None:
    share = share_passed(users, own, other, both, first=first, fresher=fresher, trials=TRIALS)
    assert share <= at_most(GATE.false_promotions)


@pytest.mark.parametrize("users", [20, 100, 1000, 10_000])
def test_of_two_equal_models_counting_keeps_its_place(users: int) -> None:
    assert share_passed(users, 0.12, 0.12, 0.10, first=True, fresher=False, trials=TRIALS) <= at_most(
        GATE.false_promotions
    )


@pytest.mark.parametrize(("own", "other", "both"), [(0.126, 0.12, 0.10), (0.42, 0.40, 0.36)])
@pytest.mark.parametrize("first", [True, False])
def test_five_percent_better_passes_with_the_stated_power(
    own: float, other: float, both: float, first: bool
) -> None:
    users = users_it_takes(own, other, both)
    share = share_passed(users, own, other, both, first=first, fresher=False, trials=TRIALS)
    assert share >= GATE.power - 3.09 * math.sqrt(GATE.power * (1 - GATE.power) / TRIALS)


def test_at_ten_thousand_users_five_percent_better_passes_and_at_a_hundred_the_gate_says_what_it_takes() -> (
    None
):
    assert share_passed(10_000, 0.126, 0.12, 0.10, first=True, fresher=False, trials=TRIALS) >= 0.8
    found = compare(
        "counting", joint(np.random.default_rng(1), 100, 0.126, 0.12, 0.10), DEMANDS, samples=100, seed=1
    )
    verdict = enough_users(found, GATE)
    assert not verdict.passed
    assert f"failed: {found.needed:,} needed to see a difference of 5.0%" in verdict.reason
    assert found.needed > 4000


def test_an_equal_and_fresher_challenger_replaces_the_champion_with_the_same_power() -> None:
    users = users_it_takes(0.40, 0.40, 0.36)
    assert share_passed(users, 0.40, 0.40, 0.36, first=False, fresher=True, trials=TRIALS) >= 0.8 - 0.06
    assert share_passed(users, 0.40, 0.40, 0.36, first=False, fresher=False, trials=TRIALS) <= at_most(0.05)


def test_the_number_of_users_is_that_of_the_textbook() -> None:
    # Planned for power 0.85, to keep 0.8: (1.645 + 1.036)^2 = 7.189, times 0.3^2 / 0.02^2 = 225.
    assert users_needed(0.3, 0.02, DEMANDS) == pytest.approx(7.189 * 225, rel=1e-3)


def test_the_estimate_of_users_has_a_lower_end_that_nears_it_with_more_users() -> None:
    ends = []
    for users in (1_000, 100_000):
        counts = joint(np.random.default_rng(1), users, 0.42, 0.40, 0.36)
        found = compare("counting", counts, DEMANDS, samples=400, seed=1)
        assert found.needed_least < found.needed
        ends.append(found.needed_least / found.needed)
    assert ends[0] < 0.9 < ends[1]


def test_users_who_all_agree_prove_nothing() -> None:
    counts = np.zeros((BUCKETS, BUCKETS), dtype=np.int64)
    counts[FIRST, FIRST], counts[MISS, MISS] = 5, 15
    found = compare("champion", counts, DEMANDS, samples=400, seed=1)
    assert found.difference.low < 0 < found.difference.high
    assert found.needed > found.users
    assert with_two_extreme_users(counts).sum() == 22


def test_the_figures_are_means_over_the_shared_users() -> None:
    counts = np.zeros((BUCKETS, BUCKETS), dtype=np.int64)
    counts[FIRST, MISS], counts[MISS, FIRST], counts[MISS, MISS] = 30, 10, 60
    found = compare("counting", counts, DEMANDS, samples=400, seed=1)
    assert (found.users, found.own, found.other) == (100, 0.30, 0.10)
    assert found.step == pytest.approx(0.005)
    # The two made-up users are of opposite minds: 20 of 102.
    assert found.difference.value == pytest.approx(20 / 102)
    assert set(found.figures()) >= {"difference_low", "difference_high", "users_needed"}


def test_nobody_to_compare_on_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no users shared with counting"):
        compare("counting", np.zeros((BUCKETS, BUCKETS), dtype=np.int64), DEMANDS, samples=100, seed=1)


def test_a_metric_of_zero_asks_for_a_difference_of_the_floor() -> None:
    counts = np.zeros((BUCKETS, BUCKETS), dtype=np.int64)
    counts[MISS, MISS] = 50
    found: Comparison = compare("counting", counts, DEMANDS, samples=100, seed=1)
    assert found.step == pytest.approx(0.05 * 0.001)
