"""Counting: which items follow which within a few steps, the floor every neural model has to clear.

score(j) = sum over the last L events x, newest first, of decay^i * C[x, j] / (events_j + 1)^power, where C
adds 1 / distance for every ordered pair of training events within `window` steps, plus `backward` times its
transpose. Items nobody's history votes for follow in order of popularity, below every vote.

The parameters are chosen on validation users by NDCG@10. Only items with a vote can rank in the top, so the
search stays sparse: a few milliseconds per point of the grid.

Shape letters: B histories, L events, V vocabulary rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field, field_validator
from safetensors.numpy import load_file, save_file

from sequoia.modelling.folder import WEIGHTS, read_about, write_about
from sequoia.modelling.histories import FIRST_ITEM_ROW, Histories
from sequoia.modelling.interface import FitData
from sequoia.modelling.votes import Tail, Votes
from sequoia.settings import Settings


class CountingSettings(Settings):
    """Grid of the co-occurrence model; each list is searched on validation users."""

    window: list[int] = Field(min_length=1)
    backward: list[float] = Field(min_length=1)
    last: list[int] = Field(min_length=1)
    decay: list[float] = Field(min_length=1)
    popularity_power: list[float] = Field(min_length=1)
    max_neighbours: int = Field(ge=1)

    @field_validator("window", "last")
    @classmethod
    def _counts_events(cls, values: list[int]) -> list[int]:
        if min(values) < 1:
            raise ValueError(f"{min(values)} in window or last is no number of events: give at least 1")
        return values


@dataclass(frozen=True, kw_only=True)
class CountingParameters:
    """One point of the grid in CountingSettings."""

    window: int
    backward: float
    last: int
    decay: float
    popularity_power: float


def transition_weights(
    pairs: sp.csr_array,
    events_V: NDArray[np.int64],
    *,
    backward: float,
    popularity_power: float,
    max_neighbours: int,
) -> sp.csr_array:
    """Turn summed pairs (V, V; 1/distance each) into votes; keeps the heaviest max_neighbours per row."""
    both = (pairs + backward * pairs.T).tocsr() if backward else pairs.copy()
    row = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    both.data[row == both.indices] = 0.0  # the same item again is no recommendation
    both.eliminate_zeros()
    both.sort_indices()
    both.data *= (events_V[both.indices] + 1.0) ** -popularity_power
    return _heaviest(both, max_neighbours)


def history_votes(histories: Histories, num_rows: int, *, last: int, decay: float) -> sp.csr_array:
    """Return (B, V) weights of the last events: decay^i for the i-th newest, 0 for unknown items."""
    newest = histories.newest(last)
    weights_T = np.where(newest.items_T >= FIRST_ITEM_ROW, decay**newest.back, 0.0)
    return sp.csr_array((weights_T, (newest.users, newest.items_T)), shape=(len(histories), num_rows))


def _heaviest(weights: sp.csr_array, most: int) -> sp.csr_array:
    row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.indices, -weights.data, row))
    place = np.arange(len(order)) - weights.indptr[row[order]]
    kept = np.sort(order[place < most])
    return sp.csr_array((weights.data[kept], (row[kept], weights.indices[kept])), shape=weights.shape)


def tune(
    pairs_by_distance: Mapping[int, sp.csr_array],
    events_V: NDArray[np.int64],
    histories: Histories,
    targets: NDArray[np.int64],
    settings: CountingSettings,
    *,
    hide_seen: bool = True,
) -> tuple[CountingParameters, sp.csr_array, float]:
    """Search the whole grid; return the best parameters (the first of equals), votes, and NDCG@10.

    pairs_by_distance: per distance the (V, V) number of ordered training pairs. hide_seen: whether what a
    user has had is not ranked.
    """
    shape = len(histories), len(events_V)
    hidden = _seen(histories, len(events_V)) if hide_seen else sp.csr_array(shape)
    best: tuple[CountingParameters, sp.csr_array, float] | None = None
    for window, backward, power in product(settings.window, settings.backward, settings.popularity_power):
        pairs = sum_pairs(pairs_by_distance, window, len(events_V))
        votes = transition_weights(
            pairs, events_V, backward=backward, popularity_power=power, max_neighbours=settings.max_neighbours
        )
        for last, decay in product(settings.last, settings.decay):
            given = history_votes(histories, len(events_V), last=last, decay=decay)
            value = _ndcg_at_10(given @ votes, hidden, targets)
            if best is None or value > best[2]:
                chosen = CountingParameters(
                    window=window, backward=backward, last=last, decay=decay, popularity_power=power
                )
                best = (chosen, votes, value)
    assert best is not None, "settings lists are never empty"
    return best


def sum_pairs(pairs_by_distance: Mapping[int, sp.csr_array], window: int, num_rows: int) -> sp.csr_array:
    """Add up 1 / distance for every pair within the window; there may be none, (V, V) all the same."""
    terms = [pairs / distance for distance, pairs in sorted(pairs_by_distance.items()) if distance <= window]
    return sp.csr_array(sum(terms, start=sp.csr_array((num_rows, num_rows))))


def _seen(histories: Histories, num_rows: int) -> sp.csr_array:
    ones = np.ones(len(histories.items_T))
    marks = sp.csr_array((ones, (histories.users, histories.items_T)), shape=(len(histories), num_rows))
    marks.data[:] = 1.0
    return marks


def _ndcg_at_10(scores: sp.csr_array, hidden: sp.csr_array, targets: NDArray[np.int64]) -> float:
    if not len(targets):
        return 0.0
    unseen = (scores - scores.multiply(hidden)).tocsr()
    target_score = np.asarray(unseen[np.arange(len(targets)), targets]).ravel()
    user = np.repeat(np.arange(len(targets)), np.diff(unseen.indptr))
    # The target is at or above itself, so the count is its rank; ties count against the model.
    rank = np.bincount(user, weights=unseen.data >= target_score[user], minlength=len(targets))
    gain = np.where((target_score > 0) & (rank <= 10), 1.0 / np.log2(np.maximum(rank, 1) + 1), 0.0)
    return float(gain.mean())


class Counting:
    """Votes of co-occurring items."""

    settings_type: ClassVar[type[Settings]] = CountingSettings
    fitted_on: ClassVar[str] = "cooccurrences"

    def __init__(
        self, votes: sp.csr_array, events_V: NDArray[np.int64], parameters: CountingParameters
    ) -> None:
        self._votes = votes
        self.parameters = parameters
        self._events_V = events_V
        self.num_rows = votes.shape[0]
        self.max_length = parameters.last
        least = votes.data.min() * parameters.decay ** (parameters.last - 1) if votes.nnz else 1.0
        # Strictly below the least vote, so popularity only orders items without one.
        self._tail = Tail(0.5 * least * events_V / max(int(events_V.max()), 1))

    @property
    def event_columns(self) -> list[str]:
        """Return nothing: it looks at items alone."""
        return []

    @classmethod
    def fit(cls, data: FitData, settings: dict[str, Any]) -> tuple[Self, dict[str, float]]:
        """Tune on the validation users; return the model and its metric there."""
        grid, events_V = CountingSettings.model_validate(settings), data.index.events
        users = data.histories, data.targets
        chosen, votes, value = tune(data.pairs, events_V, *users, grid, hide_seen=data.hide_seen)
        return cls(votes, events_V, chosen), {"ndcg@10": value}

    def preferences(self, histories: Histories) -> Votes:
        """Return the votes of each user, behind them all other items by popularity."""
        last, decay = self.parameters.last, self.parameters.decay
        votes_BV = history_votes(histories, self.num_rows, last=last, decay=decay) @ self._votes
        votes_BV.sort_indices()
        users_N = np.repeat(np.arange(len(histories)), np.diff(votes_BV.indptr))
        positive = votes_BV.data > 0
        rows_N, votes_N = votes_BV.indices[positive].astype(np.int64), votes_BV.data[positive]
        return Votes(users_N[positive], rows_N, votes_N.astype(np.float32), len(histories), self._tail)

    def save(self, folder: Path, *, extra: dict[str, Any]) -> None:
        """Write model.json (with `extra` plain values) and weights.safetensors beside the item index."""
        arrays = {
            "indptr": self._votes.indptr.astype(np.int64),
            "indices": self._votes.indices.astype(np.int32),
            "data": self._votes.data.astype(np.float64),
            "events": self._events_V,
        }
        save_file(arrays, folder / WEIGHTS)
        write_about(folder, self, asdict(self.parameters), extra)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a folder written by `save`."""
        about, arrays = read_about(folder), load_file(folder / WEIGHTS)
        shape = (about["num_rows"], about["num_rows"])
        votes = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        return cls(votes, arrays["events"], CountingParameters(**about["settings"]))


MODEL = Counting
