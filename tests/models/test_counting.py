"""The counting model against a slow oracle that follows the formula word by word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sequoia.modelling.histories import Histories
from sequoia.modelling.registry import load_model
from sequoia.models.counting import (
    Counting,
    CountingParameters,
    CountingSettings,
    sum_pairs,
    transition_weights,
    tune,
)
from sequoia.training.pairs import count_pairs

NUM_ROWS = 8


def count(sequences: list[list[int]], window: int) -> dict[int, sp.csr_array]:
    """Count ordered pairs one by one."""
    found = {distance: np.zeros((NUM_ROWS, NUM_ROWS)) for distance in range(1, window + 1)}
    for sequence in sequences:
        for place, item in enumerate(sequence):
            for distance in range(1, window + 1):
                if place + distance < len(sequence):
                    found[distance][item, sequence[place + distance]] += 1
    return {distance: sp.csr_array(pairs) for distance, pairs in found.items()}


def events(sequences: list[list[int]]) -> np.ndarray:
    return np.bincount([item for sequence in sequences for item in sequence], minlength=NUM_ROWS)


def oracle_votes(
    sequences: list[list[int]], history: list[int], item: int, given: CountingParameters
) -> float:
    """Follow the module's formula."""
    popularity = sum(sequence.count(item) for sequence in sequences)
    total = 0.0
    for back, seen in enumerate(reversed([row for row in history if row >= 2 or row == 1][-given.last :])):
        weight = 0.0
        for sequence in sequences:
            for i, first in enumerate(sequence):
                for j in range(i + 1, min(i + given.window, len(sequence) - 1) + 1):
                    if (first, sequence[j]) == (seen, item):
                        weight += 1 / (j - i)
                    if (first, sequence[j]) == (item, seen):
                        weight += given.backward / (j - i)
        if seen != item and seen >= 2:
            total += given.decay**back * weight / (popularity + 1) ** given.popularity_power
    return total


def scorer(sequences: list[list[int]], given: CountingParameters, most: int = 100) -> Counting:
    pairs = sum_pairs(count(sequences, given.window), given.window, NUM_ROWS)
    votes = transition_weights(
        pairs,
        events(sequences),
        backward=given.backward,
        popularity_power=given.popularity_power,
        max_neighbours=most,
    )
    return Counting(votes, events(sequences), given)


def scores_of(model: Counting, *histories: list[int]) -> np.ndarray:
    everything = np.tile(np.arange(NUM_ROWS), (len(histories), 1))
    return model.preferences(Histories.of(histories)).of(everything)


item_rows = st.integers(2, NUM_ROWS - 1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(item_rows, min_size=2, max_size=6), min_size=1, max_size=5),
    st.lists(st.integers(1, NUM_ROWS - 1), min_size=1, max_size=5),
    st.builds(
        CountingParameters,
        window=st.integers(1, 3),
        backward=st.sampled_from([0.0, 0.5]),
        last=st.integers(1, 3),
        decay=st.sampled_from([0.5, 1.0]),
        popularity_power=st.sampled_from([0.0, 0.1]),
    ),
)
def test_scores_follow_the_formula(
    sequences: list[list[int]], history: list[int], given: CountingParameters
) -> None:
    scores = scores_of(scorer(sequences, given), history)[0]
    expected = [oracle_votes(sequences, history, item, given) for item in range(2, NUM_ROWS)]
    voted = np.array(expected) > 0
    assert scores[2:][voted] == pytest.approx(np.array(expected)[voted], rel=1e-5)
    assert (scores[:2] == -np.inf).all()
    if voted.any():
        # Items without a vote stay below every vote, in order of popularity.
        assert (scores[2:][~voted] < scores[2:][voted].min()).all()
    tail, popularity = scores[2:][~voted], events(sequences)[2:][~voted]
    order = np.lexsort((tail, popularity))
    assert (np.diff(tail[order]) >= 0).all()


def test_an_unknown_history_gives_the_most_popular_items() -> None:
    given = CountingParameters(window=1, backward=0.0, last=1, decay=1.0, popularity_power=0.0)
    model = scorer([[2, 3, 4], [3, 4], [4, 5]], given)
    scores = scores_of(model, [1], [])
    assert np.argsort(-scores, axis=1)[:, :2].tolist() == [[4, 3], [4, 3]]


def test_only_the_heaviest_neighbours_are_kept() -> None:
    given = CountingParameters(window=1, backward=0.0, last=1, decay=1.0, popularity_power=0.0)
    sequences = [[2, 3], [2, 3], [2, 4], [2, 5], [2, 5], [2, 5]]
    few = scores_of(scorer(sequences, given, most=2), [2])[0]
    assert few[[5, 3]].tolist() == [3.0, 2.0]
    assert few[4] < 1.0


def test_pairs_of_padded_batches_equal_the_slow_count() -> None:
    sequences = [[2, 3, 2, 4], [5, 2, 3], [2, 2]]
    batch = np.array([[0] * (5 - len(one)) + one for one in sequences], np.int32)
    found = {distance: np.zeros((NUM_ROWS, NUM_ROWS)) for distance in (1, 2, 3)}
    for row in count_pairs(batch, 3).to_pylist():
        found[row["distance"]][row["item"], row["next_item"]] += row["pairs"]
    for distance, expected in count(sequences, 3).items():
        assert found[distance].tolist() == expected.toarray().tolist()


def test_tuning_takes_the_grid_point_with_the_best_ndcg_of_the_real_scorer() -> None:
    random = np.random.default_rng(1)
    sequences = [random.integers(2, NUM_ROWS, 6).tolist() for _ in range(12)]
    histories = Histories.of([sequence[:4] for sequence in sequences])
    targets = np.array([sequence[4] for sequence in sequences])
    grid = CountingSettings(
        window=[1, 2], backward=[0.0, 0.5], last=[1, 3], decay=[0.5], popularity_power=[0.0, 0.1],
        max_neighbours=100,
    )  # fmt: skip
    pairs = count(sequences, 2)
    chosen, votes, value = tune(pairs, events(sequences), histories, targets, grid)
    best = 0.0
    for window in grid.window:
        for backward in grid.backward:
            for last in grid.last:
                for power in grid.popularity_power:
                    given = CountingParameters(
                        window=window, backward=backward, last=last, decay=0.5, popularity_power=power
                    )
                    best = max(best, voted_ndcg(scorer(sequences, given), histories, targets))
    assert value == pytest.approx(best)
    assert voted_ndcg(Counting(votes, events(sequences), chosen), histories, targets) == pytest.approx(value)


def test_a_target_that_the_user_has_had_counts_only_where_seen_items_are_not_hidden() -> None:
    grid = CountingSettings(
        window=[1], backward=[0.0], last=[2], decay=[1.0], popularity_power=[0.0], max_neighbours=9
    )
    sequences = [[2, 3, 2, 3]]
    pairs, popular = count(sequences, 1), events(sequences)
    given = Histories.of([[2, 3, 2]]), np.array([3])
    assert tune(pairs, popular, *given, grid)[2] == 0.0
    assert tune(pairs, popular, *given, grid, hide_seen=False)[2] == 1.0


def test_without_any_pair_the_most_popular_items_are_left() -> None:
    grid = CountingSettings(
        window=[2], backward=[0.0], last=[1], decay=[0.5], popularity_power=[0.0], max_neighbours=9
    )
    popular = np.array([0, 0, 1, 5, 3, 0, 0, 0])
    chosen, votes, value = tune({}, popular, Histories.of([[2]]), np.array([3]), grid)
    assert value == 0.0
    best = Counting(votes, popular, chosen).preferences(Histories.of([[2]])).best(2, Histories.of([[2]]))
    assert best.rows_BK.tolist() == [[3, 4]]


def voted_ndcg(model: Counting, histories: Histories, targets: np.ndarray) -> float:
    """Return NDCG@10 of the scorer where the target has a vote, 0 elsewhere, as the search defines it."""
    ranked = model.preferences(histories).rank(targets[:, None], 1, histories)
    model_least = model._votes.data.min() * model.parameters.decay ** (model.parameters.last - 1)
    voted = ranked.wanted_BC[:, 0] > 0.75 * model_least
    ranks = 1 + ranked.ahead_B + ranked.level_B
    return float(np.where(voted & (ranks <= 10), 1 / np.log2(ranks + 1), 0.0).mean())


def test_a_saved_model_gives_the_same_scores(tmp_path: Path) -> None:
    given = CountingParameters(window=2, backward=0.3, last=2, decay=0.7, popularity_power=0.1)
    model = scorer([[2, 3, 4], [3, 5, 6], [2, 7]], given)
    model.save(tmp_path, extra={})
    again = load_model(tmp_path)
    assert isinstance(again, Counting)
    assert (scores_of(again, [2, 3], [5, 6, 1], []) == scores_of(model, [2, 3], [5, 6, 1], [])).all()
