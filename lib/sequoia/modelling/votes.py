"""Preferences of few votes: items that anything speaks for come first, all others by one order for all users.

What counting, neighbours and patterns come to, and popularity where nothing is known of a user. Only votes
are looked at, not all items: the order of the others is known beforehand.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sequoia.modelling.histories import FIRST_ITEM_ROW, Histories, Rows
from sequoia.modelling.preferences import Best, Ranked, Scores


class Tail:
    """The order of items without a vote: scores_V by row, rows 0 and 1 never count."""

    def __init__(self, scores_V: NDArray[np.float32] | NDArray[np.float64]) -> None:
        self.scores_V: Scores = scores_V.astype(np.float32)
        self.scores_V[:FIRST_ITEM_ROW] = -np.inf

    @property
    def num_rows(self) -> int:
        """Return the number of rows, padding and unknown included."""
        return len(self.scores_V)

    @cached_property
    def order(self) -> Rows:
        """Return all items, best first, ties by row."""
        items = self.scores_V[FIRST_ITEM_ROW:]
        return np.argsort(-items, kind="stable") + FIRST_ITEM_ROW

    @cached_property
    def _descending(self) -> Scores:
        return -self.scores_V[self.order]

    def above(self, scores: Scores) -> Rows:
        """Count the items that score more than each of these."""
        return np.searchsorted(self._descending, -scores, side="left")

    def not_below(self, scores: Scores) -> Rows:
        """Count the items that score at least as much as each of these."""
        return np.searchsorted(self._descending, -scores, side="right")


class Votes:
    """Votes of B users; every vote is above every score of the tail."""

    def __init__(self, users_N: Rows, rows_N: Rows, votes_N: Scores, num_users: int, tail: Tail) -> None:
        """Take votes in the order of user and row, each pair once."""
        self._users, self._rows, self._votes = users_N, rows_N, votes_N
        self._tail, self._num_users = tail, num_users
        self._keys = self._key(users_N, rows_N)

    @staticmethod
    def nothing(num_users: int, tail: Tail) -> Votes:
        """Return the preferences of users of whom nothing is known."""
        none = np.zeros(0, np.int64)
        return Votes(none, none, np.zeros(0, np.float32), num_users, tail)

    def of(self, rows_BC: Rows) -> Scores:
        """Score some items of each user; -inf for rows 0 and 1."""
        scores_BC = self._tail.scores_V[rows_BC]
        keys_BC = self._key(np.arange(self._num_users)[:, None], rows_BC)
        places_BC, voted_BC = _find(self._keys, keys_BC)
        scores_BC[voted_BC] = self._votes[places_BC[voted_BC]]
        return scores_BC

    def best(self, k: int, hidden: Histories) -> Best:
        """Return the k best items of each user."""
        best = Best.nothing(self._num_users, k)
        if k == 0:
            return best
        gone = self._gone(hidden)
        shown = ~_find(gone, self._keys)[1]
        users, rows, votes = self._users[shown], self._rows[shown], self._votes[shown]
        kept = np.flatnonzero(_not_below_best(users, votes, k))
        kept = kept[np.lexsort((rows[kept], -votes[kept], users[kept]))]
        users, rows, votes = users[kept], rows[kept], votes[kept]
        place = _places(users)
        top = place < k
        best.rows_BK[users[top], place[top]] = rows[top]
        best.scores_BK[users[top], place[top]] = votes[top]
        self._fill(best, self._count(users), gone)
        return best

    def _fill(self, best: Best, voted_B: Rows, gone: Rows) -> None:
        """Let items of the tail follow where votes are fewer than k; gone: keys of hidden items."""
        k = best.rows_BK.shape[1]
        lacking = np.flatnonzero(voted_B < k)
        excluded_B = self._count(self._users) + self._count(gone // self._tail.num_rows)
        looked_at = np.minimum(k - voted_B + excluded_B, len(self._tail.order))[lacking]
        users = np.repeat(lacking, looked_at)
        rows = self._tail.order[_places(users)]
        keys = self._key(users, rows)
        fresh = ~_find(gone, keys)[1] & ~_find(self._keys, keys)[1] & ~np.isneginf(self._tail.scores_V[rows])
        users, rows = users[fresh], rows[fresh]
        place = _places(users) + voted_B[users]
        fits = place < k
        best.rows_BK[users[fits], place[fits]] = rows[fits]
        best.scores_BK[users[fits], place[fits]] = self._tail.scores_V[rows[fits]]

    def rank(self, wanted_BC: Rows, k: int, hidden: Histories) -> Ranked:
        """Rank each user's target wanted_BC[:, 0] among all items; also score the others."""
        gone = self._gone(hidden)
        scores_BC = self.of(wanted_BC)
        everyone = np.arange(self._num_users)
        scores_BC[_find(gone, self._key(everyone[:, None], wanted_BC))[1]] = -np.inf
        target_B = scores_BC[:, 0]
        is_voted_B = _find(self._keys, self._key(everyone, wanted_BC[:, 0]))[1]
        shown = ~_find(gone, self._keys)[1]
        users, votes = self._users[shown], self._votes[shown]
        ahead_B = self._count(users[votes > target_B[users]])
        not_below_B = self._count(users[votes >= target_B[users]])
        out = np.concatenate([self._keys, gone[~_find(self._keys, gone)[1]]])
        users, tails = out // self._tail.num_rows, self._tail.scores_V[out % self._tail.num_rows]
        others_ahead_B = self._tail.above(target_B) - self._count(users[tails > target_B[users]])
        others_B = self._tail.not_below(target_B) - self._count(users[tails >= target_B[users]])
        ahead_B += np.where(is_voted_B, 0, others_ahead_B)
        not_below_B += np.where(is_voted_B, 0, others_B)
        lowest_B, highest_B = self._range()
        return Ranked(
            best=self.best(k, hidden),
            ahead_B=ahead_B,
            level_B=np.maximum(not_below_B - ahead_B - 1, 0),
            wanted_BC=scores_BC,
            lowest_B=lowest_B,
            highest_B=highest_B,
        )

    def _range(self) -> tuple[Scores, Scores]:
        """Return the lowest and the highest score of each user."""
        items = len(self._tail.order)
        ends = self._tail.scores_V[self._tail.order[[-1, 0]]] if items else np.full(2, -np.inf, np.float32)
        lowest_B, highest_B = (np.full(self._num_users, end, np.float32) for end in ends)
        np.maximum.at(highest_B, self._users, self._votes)
        all_voted_B = self._count(self._users) == items
        lowest_B[all_voted_B] = np.inf
        voted = all_voted_B[self._users]
        np.minimum.at(lowest_B, self._users[voted], self._votes[voted])
        return lowest_B, highest_B

    def _gone(self, hidden: Histories) -> Rows:
        """Return the keys of hidden items, each once."""
        return np.unique(self._key(hidden.users, hidden.items_T))

    def _count(self, users: Rows) -> Rows:
        return np.bincount(users, minlength=self._num_users)

    def _key(self, users: Rows, rows: Rows) -> Rows:
        return users * self._tail.num_rows + rows


def _find(sorted_keys: Rows, keys: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the place of each key among sorted ones, and whether it is there."""
    places = np.searchsorted(sorted_keys, keys)
    return places, np.append(sorted_keys, -1)[places] == keys


def _not_below_best(users: Rows, votes: Scores, k: int) -> NDArray[np.bool_]:
    """Say which votes are not below the k-th best of their user: few, where all of them were to be sorted."""
    kept = np.ones(len(votes), dtype=bool)
    bounds = np.append(np.flatnonzero(np.diff(users, prepend=-1)), len(users)).tolist()
    for start, end in pairwise(bounds):
        if end - start > k:
            of_user = votes[start:end]
            kept[start:end] = of_user >= np.partition(of_user, end - start - k)[end - start - k]
    return kept


def _places(users: Rows) -> Rows:
    """Return, of users in order, the number of each entry among those of its user, from 0."""
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    lengths = np.diff(np.append(starts, len(users)))
    return np.arange(len(users)) - np.repeat(starts, lengths)
