from __future__ import annotations

import numpy as np
import pytest

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.metrics import histogram, user_values

RANKS = np.concatenate([np.full(30, 1), np.full(50, 7), np.full(120, 40)])


def test_the_interval_is_that_of_resampled_users() -> None:
    found = Bootstrap(samples=4000, confidence=0.9, seed=1).intervals(histogram(RANKS)[None])["ndcg@10"]
    values = user_values("ndcg@10", RANKS)
    rng = np.random.default_rng(2)
    means = [rng.choice(values, size=len(values)).mean() for _ in range(4000)]
    assert found.value == pytest.approx(values.mean())
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.05, 0.95]).tolist(), abs=0.004)


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    counts = histogram(RANKS)[None]
    first, again, other = (
        Bootstrap(samples=200, confidence=0.95, seed=seed).intervals(counts) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_paired_intervals_see_that_one_model_is_better_on_the_same_users() -> None:
    # 200 users: the second model puts 20 of them one place lower and is equal on all others.
    joint = np.zeros((21, 21), dtype=np.int64)
    joint[0, 1], joint[4, 4], joint[20, 20] = 20, 80, 100
    bootstrap = Bootstrap(samples=1000, confidence=0.95, seed=3)
    gap = bootstrap.difference("mrr@10", joint)
    assert gap.value == pytest.approx(20 * (1 - 1 / 2) / 200)
    assert 0 < gap.low < gap.value < gap.high
    apart = [bootstrap.intervals(joint.sum(axis=axis)[None])["mrr@10"] for axis in (1, 0)]
    assert apart[0].low < apart[1].high, "unpaired intervals overlap, which is why the pairs are needed"


def test_equal_models_differ_by_exactly_nothing() -> None:
    gap = Bootstrap(samples=100, confidence=0.95, seed=3).difference("hr@10", np.diag(histogram(RANKS)))
    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_no_users_is_an_error() -> None:
    with pytest.raises(ValueError, match="no users"):
        Bootstrap(samples=100, confidence=0.95, seed=3).intervals(np.zeros((1, 21), dtype=np.int64))


def test_ranks_that_depend_on_each_other_are_drawn_together() -> None:
    """Each of 100 users has 10 targets and hits all of them or none: worth no more than one target each."""
    alone = np.zeros((1, 21), dtype=np.int64)
    alone[0, 0], alone[0, 20] = 40, 60
    groups = np.zeros((128, 21), dtype=np.int64)
    groups[:40, 0], groups[40:100, 20] = 10, 10
    bootstrap = Bootstrap(samples=2000, confidence=0.95, seed=3)
    of_users, of_groups = bootstrap.intervals(alone)["hr@10"], bootstrap.intervals(groups)["hr@10"]
    too_sure = bootstrap.intervals(10 * alone)["hr@10"]
    assert of_groups.value == of_users.value == 0.4
    width, right = of_groups.high - of_groups.low, of_users.high - of_users.low
    assert width == pytest.approx(right, rel=0.1)
    assert too_sure.high - too_sure.low < width / 2
