from __future__ import annotations

import numpy as np
import pytest

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.metrics import histogram, user_values

RANKS = np.concatenate([np.full(30, 1), np.full(50, 7), np.full(120, 40)])


def test_the_interval_is_that_of_resampled_users() -> None:
    found = Bootstrap(samples=4000, confidence=0.9, seed=1).intervals(histogram(RANKS))["ndcg@10"]
    values = user_values("ndcg@10", RANKS)
    rng = np.random.default_rng(2)
    means = [rng.choice(values, size=len(values)).mean() for _ in range(4000)]
    assert found.value == pytest.approx(values.mean())
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.05, 0.95]).tolist(), abs=0.004)


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    counts = histogram(RANKS)
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
    apart = bootstrap.intervals(joint.sum(axis=1))["mrr@10"], bootstrap.intervals(joint.sum(axis=0))["mrr@10"]
    assert apart[0].low < apart[1].high, "unpaired intervals overlap, which is why the pairs are needed"


def test_equal_models_differ_by_exactly_nothing() -> None:
    gap = Bootstrap(samples=100, confidence=0.95, seed=3).difference("hr@10", np.diag(histogram(RANKS)))
    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_no_users_is_an_error() -> None:
    with pytest.raises(ValueError, match="no users"):
        Bootstrap(samples=100, confidence=0.95, seed=3).intervals(np.zeros(21, dtype=np.int64))
