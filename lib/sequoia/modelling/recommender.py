"""A model with its item index, asked for items: validation, evaluation, batches and serving go through this.

So what is served is what was evaluated: events of unknown items are passed over, the newest max_length known
ones count, and a history without any known item gets the most popular items. What a user has had is hidden
unless it is asked for, also what lies too far back for the model to look at.

Shape letters: B users, C items asked for, K top items.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sequoia.errors import DivergedError
from sequoia.modelling.histories import EVENT_FEATURES, Histories, Rows
from sequoia.modelling.interface import Model
from sequoia.modelling.item_index import ItemIndex
from sequoia.modelling.preferences import Best, Preferences, Ranked
from sequoia.modelling.registry import load_model
from sequoia.modelling.votes import Tail, Votes

BATCH = 512  # users whose scores are made at once


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """The best items of each user, and who had a known item (B,)."""

    best: Best
    known_B: NDArray[np.bool_]


class Recommender:
    """Answers for histories in rows of the model's own index."""

    def __init__(self, model: Model, index: ItemIndex) -> None:
        assert model.num_rows == index.num_rows, "weights and item index disagree in size"
        self.model, self.index = model, index

    @staticmethod
    def read(folder: Path, device: str = "cpu") -> Recommender:
        """Open a model folder for one thread: Spark runs a worker per core. device: of a neural model."""
        model = load_model(folder)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)
            if isinstance(model, torch.nn.Module):
                model.to(device)
        return Recommender(model, ItemIndex.read(folder))

    @property
    def event_columns(self) -> list[str]:
        """Return which columns of histories the model looks at beside the items."""
        return self.model.event_columns

    def recommend(self, histories: Histories, k: int, *, hide: bool = True) -> Recommended:
        """Return the k best items of each history, all that there are where k is more.

        hide: whether what a history holds is left out. Raises DivergedError where scores are NaN.
        """
        k = min(k, len(self.index))
        best, known_B = Best.nothing(len(histories), k), np.zeros(len(histories), dtype=bool)
        for users, hidden, preferences, known in self._asked(histories, hide):
            found = preferences.best(k, hidden)
            best.rows_BK[users], best.scores_BK[users] = found.rows_BK, found.scores_BK
            known_B[users] = known
        diverged = int(np.isnan(best.scores_BK).any(axis=1).sum())
        if diverged:
            raise DivergedError(
                f"the model scores NaN for {diverged} users, so it diverged: lower training.learning_rate"
            )
        return Recommended(best=best, known_B=known_B)

    def rank(
        self,
        histories: Histories,
        wanted_BC: Rows,
        k: int,
        *,
        hide: bool = True,
        progress: Callable[[], None] = lambda: None,
    ) -> Ranked:
        """Rank a target of each user, wanted_BC[:, 0], among all items; see Preferences.rank.

        progress: called after each batch.
        """
        parts: list[tuple[Rows, Ranked]] = []
        for users, hidden, preferences, _ in self._asked(histories, hide):
            parts.append((users, preferences.rank(wanted_BC[users], min(k, len(self.index)), hidden)))
            progress()
        return _joined(parts, len(histories), wanted_BC.shape[1], min(k, len(self.index)))

    def _asked(self, histories: Histories, hide: bool) -> Iterator[tuple[Rows, Histories, Preferences, bool]]:
        """Yield users of like length, what is hidden from them, their preferences, and if they are known."""
        known = histories.known()
        by_length = np.argsort(known.lengths, kind="stable")
        unknown = int((known.lengths == 0).sum())
        for is_known, ordered in ((False, by_length[:unknown]), (True, by_length[unknown:])):
            for start in range(0, len(ordered), BATCH):
                users = ordered[start : start + BATCH]
                hidden = histories.take(users) if hide else Histories.of([[]] * len(users))
                newest = self._with_columns(known.take(users).newest(self.model.max_length))
                preferences = (
                    self.model.preferences(newest) if is_known else Votes.nothing(len(users), self._popular)
                )
                yield users, hidden, preferences, is_known

    def _with_columns(self, histories: Histories) -> Histories:
        """Return histories with what the model looks at; what nobody has told is unknown."""
        wanted = self.event_columns
        nothing = {name: np.zeros(len(histories.items_T), EVENT_FEATURES[name]) for name in wanted}
        known = {name: values for name, values in histories.features.items() if name in wanted}
        return replace(histories, features=nothing | known)

    @cached_property
    def _popular(self) -> Tail:
        return Tail(self.index.events.astype(np.float32))


def _joined(parts: list[tuple[Rows, Ranked]], users: int, wanted: int, k: int) -> Ranked:
    """Bring batches back to the order of the users."""
    whole = Ranked(
        best=Best.nothing(users, k),
        ahead_B=np.zeros(users, np.int64),
        level_B=np.zeros(users, np.int64),
        wanted_BC=np.zeros((users, wanted), np.float32),
        lowest_B=np.zeros(users, np.float32),
        highest_B=np.zeros(users, np.float32),
    )
    for at, part in parts:
        whole.best.rows_BK[at], whole.best.scores_BK[at] = part.best.rows_BK, part.best.scores_BK
        for name in ("ahead_B", "level_B", "wanted_BC", "lowest_B", "highest_B"):
            getattr(whole, name)[at] = getattr(part, name)
    return whole


def open_recommender(folder: Path, device: str = "cpu") -> Recommender:
    """Open a model folder once per process (Spark keeps its workers), and again when it was rewritten."""
    return _open(folder, (folder / "model.json").stat().st_mtime_ns, device)


@lru_cache(maxsize=8)
def _open(folder: Path, _written: int, device: str) -> Recommender:
    return Recommender.read(folder, device)
