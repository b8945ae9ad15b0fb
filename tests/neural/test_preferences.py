"""Ranking tile by tile equals a ranking of all items by the book, whatever the tiles."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from modelling.oracle import INFINITE, check, questions
from torch import Tensor

from sequoia.modelling.histories import Histories
from sequoia.neural import preferences as module
from sequoia.neural.item_table import ItemTable
from sequoia.neural.preferences import CandidatePreferences, TablePreferences, TiledPreferences

CPU = torch.device("cpu")
VALUES = [-INFINITE, -1.0, -0.0, 0.0, 0.5, 2.0, INFINITE]  # few, so that many are ties


class Given(TiledPreferences):
    """Scores that were written down."""

    def __init__(self, scores: list[list[float]]) -> None:
        super().__init__(len(scores), len(scores[0]) + 2, CPU)
        self._scores = torch.tensor([[-INFINITE, -INFINITE, *of_user] for of_user in scores])

    def score_range(self, first: int, last: int, out: Tensor) -> None:
        out.copy_(self._scores[:, first:last])

    def score(self, rows_BC: Tensor) -> Tensor:
        return self._scores.gather(1, rows_BC)

    def rounding(self, rows_B: Tensor, scores_B: Tensor) -> Tensor:
        return torch.zeros_like(scores_B)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_every_answer_is_that_of_a_plain_ranking(data: st.DataObject) -> None:
    items = data.draw(st.integers(1, 40))
    of_user = st.lists(st.sampled_from(VALUES), min_size=items, max_size=items)
    scores = data.draw(st.lists(of_user, min_size=1, max_size=3))
    targets, seen, k = data.draw(questions(len(scores), items))
    block = data.draw(st.sampled_from([1, 2, 8]))
    with patch.object(module, "BLOCK", block), patch.dict(module.TILE_BYTES, cpu=4 * 16):
        check(Given(scores), scores, targets, seen, k)


def test_a_table_s_answers_are_those_of_the_whole_product() -> None:
    torch.manual_seed(0)
    table, states = ItemTable(5000, 16), torch.randn(7, 16)
    whole = (states @ table.all_rows().T).detach()
    whole[:, :2] = -INFINITE
    wanted = np.random.default_rng(0).integers(2, 5000, (7, 30))
    with patch.dict(module.TILE_BYTES, cpu=1 << 13):
        ranked = TablePreferences(states, table).rank(wanted, 10, Histories.of([[]] * 7))
    top = whole.topk(10)
    assert ranked.best.rows_BK.tolist() == top.indices.tolist()
    np.testing.assert_allclose(ranked.best.scores_BK, top.values, atol=1e-6)
    np.testing.assert_allclose(ranked.wanted_BC, whole.gather(1, torch.from_numpy(wanted)), atol=1e-6)
    own = whole.gather(1, torch.from_numpy(wanted[:, :1]))
    assert ranked.ahead_B.tolist() == (whole > own).sum(1).tolist()
    assert not ranked.level_B.any()


@pytest.mark.parametrize("items", [33, 4097])
def test_items_of_one_vector_are_level_however_their_sums_are_rounded(items: int) -> None:
    torch.manual_seed(0)
    table, states = ItemTable(items + 2, 64), torch.randn(50, 64) * 10
    with torch.no_grad():
        table.weight[:] = torch.randn(64)
    wanted = np.random.default_rng(0).integers(2, items + 2, (50, 1))
    with patch.dict(module.TILE_BYTES, cpu=4 * 50 * 96):
        ranked = TablePreferences(states, table).rank(wanted, 3, Histories.of([[]] * 50))
    assert not ranked.ahead_B.any()
    assert (ranked.level_B == items - 1).all()


def test_scores_that_are_no_numbers_show() -> None:
    preferences = Given([[1.0, float("nan"), 0.5], [1.0, 2.0, 0.5]])
    ranked = preferences.rank(np.array([[2], [2]]), 2, Histories.of([[], []]))
    assert np.isnan(ranked.lowest_B).tolist() == [True, False]
    assert np.isnan(ranked.best.scores_BK).any(axis=1).tolist() == [True, False]


def test_a_model_that_looks_at_candidates_ranks_all_items_too() -> None:
    torch.manual_seed(0)
    whole = torch.randn(3, 50)
    rows = np.array([[7, 3], [49, 2], [2, 40]])
    with patch.dict(module.TILE_BYTES, cpu=4 * 3 * 32):
        asked = CandidatePreferences(lambda rows_BC: whole.gather(1, rows_BC), 3, 50, CPU)
        ranked = asked.rank(rows, 5, Histories.of([[], [3], []]))
    whole[:, :2] = -INFINITE
    whole[1, 3] = -INFINITE
    assert ranked.best.rows_BK.tolist() == whole.topk(5).indices.tolist()
    own = whole.gather(1, torch.from_numpy(rows[:, :1]))
    assert ranked.ahead_B.tolist() == (whole > own).sum(1).tolist()


def test_the_memory_of_scores_does_not_grow_with_the_items() -> None:
    seen: list[int] = []

    def logits(rows_BC: Tensor) -> Tensor:
        seen.append(rows_BC.numel() * 4)
        return rows_BC.float()

    asked = CandidatePreferences(logits, 300, 200_000, CPU)
    best = asked.best(2, Histories.of([[]] * 300))
    assert best.rows_BK.tolist() == [[199_999, 199_998]] * 300
    assert max(seen) <= module.TILE_BYTES["cpu"]
