"""Ranking by the book, one user and one item after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sequoia.modelling.histories import Histories
from sequoia.modelling.preferences import Preferences

INFINITE = math.inf


def expected(scores: Sequence[float], target: int, seen: Sequence[int], k: int) -> dict[str, Any]:
    """Return what a user's answer must be; item r has scores[r - 2]."""
    open_to = {row: score for row, score in enumerate(scores, start=2) if row not in seen}
    best = sorted((row for row in open_to if open_to[row] > -INFINITE), key=lambda row: (-open_to[row], row))[
        :k
    ]
    own = open_to.get(target, -INFINITE)
    others = [score for row, score in open_to.items() if row != target]
    return {
        "best": best + [0] * (k - len(best)),
        "scores": [open_to[row] for row in best] + [-INFINITE] * (k - len(best)),
        "own": own,
        "ahead": sum(score > own for score in others),
        "level": sum(score == own for score in others),
    }


def check(
    preferences: Preferences,
    scores: Sequence[Sequence[float]],
    targets: Sequence[int],
    seen: Sequence[Sequence[int]],
    k: int,
) -> None:
    """Compare all answers with the book's."""
    everything = np.arange(len(scores[0]) + 2)
    wanted = np.concatenate([np.array(targets)[:, None], np.tile(everything, (len(scores), 1))], axis=1)
    hidden = Histories.of(seen)
    ranked, best = preferences.rank(wanted, k, hidden), preferences.best(k, hidden)
    plain = preferences.of(wanted)
    for user, of_user in enumerate(scores):
        right = expected(of_user, targets[user], seen[user], k)
        for found in (ranked.best, best):
            assert found.rows_BK[user].tolist() == right["best"]
            assert found.scores_BK[user].tolist() == right["scores"]
        assert ranked.lowest_B[user] <= min(of_user) <= max(of_user) == ranked.highest_B[user]
        assert (ranked.lowest_B[user] == ranked.highest_B[user]) == (min(of_user) == max(of_user))
        assert ranked.wanted_BC[user, 0] == right["own"]
        if right["own"] > -INFINITE:
            assert (ranked.ahead_B[user], ranked.level_B[user]) == (right["ahead"], right["level"])
        shown = [-INFINITE if row < 2 or row in seen[user] else of_user[row - 2] for row in everything]
        assert ranked.wanted_BC[user, 1:].tolist() == shown
        assert plain[user, 3:].tolist() == list(of_user)


@st.composite
def questions(draw: st.DrawFn, users: int, items: int) -> tuple[list[int], list[list[int]], int]:
    """Draw a target, seen items of each user, and how many items are asked for."""
    rows = st.integers(1, items + 1)
    targets = draw(st.lists(rows, min_size=users, max_size=users))
    seen = draw(st.lists(st.lists(rows, max_size=8), min_size=users, max_size=users))
    return targets, seen, draw(st.integers(0, items))
