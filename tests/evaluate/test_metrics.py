from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequoia.evaluate.metrics import METRICS, histogram, mean_value, metrics_of_ranks, user_values


def test_metrics_of_four_hand_made_ranks() -> None:
    found = metrics_of_ranks(np.array([1, 2, 10, 21]))
    assert found["hr@1"] == pytest.approx(1 / 4)
    assert found["hr@10"] == pytest.approx(3 / 4)
    assert found["ndcg@5"] == pytest.approx((1 + 1 / math.log2(3)) / 4)
    assert found["ndcg@10"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 4)
    assert found["mrr@20"] == pytest.approx((1 + 1 / 2 + 1 / 10) / 4)


def oracle(metric: str, rank: int) -> float:
    name, cutoff = metric.split("@")
    if rank > int(cutoff):
        return 0.0
    return {"hr": 1.0, "ndcg": 1 / math.log2(rank + 1), "mrr": 1 / rank}[name]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=50))
def test_means_over_the_histogram_equal_a_plain_loop(ranks: list[int]) -> None:
    counts = histogram(np.array(ranks))
    assert counts.sum() == len(ranks)
    for metric in METRICS:
        expected = sum(oracle(metric, rank) for rank in ranks) / len(ranks)
        assert mean_value(metric, counts) == pytest.approx(expected)
        assert user_values(metric, np.array(ranks)).tolist() == pytest.approx(
            [oracle(metric, r) for r in ranks]
        )


def test_unknown_metric_and_rank_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="ndcg@7"):
        user_values("ndcg@7", np.array([1]))
    with pytest.raises(ValueError, match="rank 0"):
        user_values("hr@10", np.array([0]))
