"""Counting: which items follow which within a few steps, the floor every neural model has to clear.

score(j) = sum over the last L events x, newest first, of decay^i * C[x, j] / (events_j + 1)^power, where C
adds 1 / distance for every ordered pair of training events within `window` steps, plus `backward` times its
transpose. Items nobody's history votes for follow in order of popularity, below every vote.

Shape letters: B histories, L events, V vocabulary rows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file


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


def history_votes(histories_BL: NDArray[np.int64], num_rows: int, *, last: int, decay: float) -> sp.csr_array:
    """Return (B, V) weights of the last events: decay^i for the i-th newest, 0 for unknown items."""
    newest_first = histories_BL[:, ::-1][:, :last]
    weights = np.broadcast_to(decay ** np.arange(newest_first.shape[1]), newest_first.shape)
    known = newest_first >= 2
    user = np.nonzero(known)[0]
    return sp.csr_array((weights[known], (user, newest_first[known])), shape=(len(histories_BL), num_rows))


class CountingScorer:
    """Votes of co-occurring items, as a scorer."""

    def __init__(
        self, votes: sp.csr_array, events_V: NDArray[np.int64], parameters: CountingParameters
    ) -> None:
        self._votes = votes
        self._parameters = parameters
        self._events_V = events_V
        self.num_rows = votes.shape[0]
        self.max_length = parameters.last
        least = votes.data.min() * parameters.decay ** (parameters.last - 1) if votes.nnz else 1.0
        # Strictly below the least vote, so popularity only orders items without one.
        self._tail_V = 0.5 * least * events_V / max(int(events_V.max()), 1)

    def scores(self, histories_BL: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score histories (B, L) of vocabulary rows; returns (B, num_rows) float32, rows 0 and 1 are -inf."""
        given = history_votes(
            histories_BL, self.num_rows, last=self._parameters.last, decay=self._parameters.decay
        )
        voted_BV = (given @ self._votes).toarray()
        scores_BV = np.where(voted_BV > 0, voted_BV, self._tail_V).astype(np.float32)
        scores_BV[:, :2] = -np.inf
        return scores_BV

    def save(self, folder: Path, *, extra: dict[str, Any]) -> None:
        """Write model.json (with `extra` plain values) and weights.safetensors beside the item index."""
        arrays = {
            "indptr": self._votes.indptr.astype(np.int64),
            "indices": self._votes.indices.astype(np.int32),
            "data": self._votes.data.astype(np.float64),
            "events": self._events_V,
        }
        save_file(arrays, folder / "weights.safetensors")
        about = {
            "kind": "counting",
            "settings": asdict(self._parameters),
            "num_rows": self.num_rows,
            "max_length": self.max_length,
            **extra,
        }
        (folder / "model.json").write_text(json.dumps(about), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> CountingScorer:
        """Load a folder written by `save`."""
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "weights.safetensors")
        shape = (about["num_rows"], about["num_rows"])
        votes = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        return CountingScorer(votes, arrays["events"], CountingParameters(**about["settings"]))


def _heaviest(weights: sp.csr_array, most: int) -> sp.csr_array:
    row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.indices, -weights.data, row))
    place = np.arange(len(order)) - weights.indptr[row[order]]
    kept = np.sort(order[place < most])
    return sp.csr_array((weights.data[kept], (row[kept], weights.indices[kept])), shape=weights.shape)
