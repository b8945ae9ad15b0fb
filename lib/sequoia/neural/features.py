"""Features of items and of events as vectors: kinds by tables, numbers by a small network, unknown ones zero.

Shape letters: T events, V vocabulary rows, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sequoia.modelling.features import ITEM_COLUMNS
from sequoia.modelling.histories import FIRST_ITEM_ROW, Rows
from sequoia.modelling.item_index import ItemIndex

KINDS = ("category", "brand")
DAY = 86_400_000.0  # milliseconds
HALF_STARS = 11  # 0 is unknown, 10 is five stars
INITIAL_DEVIATION = 0.02
UNKNOWN = -1.0  # of a gap


class Number(nn.Module):
    """A small network of one number, which is known or not."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen, self.mix = nn.Linear(1, width), nn.Linear(width, width)
        nn.init.normal_(self.mix.weight, std=INITIAL_DEVIATION)
        nn.init.zeros_(self.mix.bias)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        """Return vectors (..., D) of numbers (...); zero where known is False."""
        vectors: Tensor = self.mix(torch.nn.functional.gelu(self.widen(values[..., None])))
        return vectors * known[..., None]


class ItemFeatures(nn.Module):
    """Vectors of what is known of the items; the index keeps its columns, the weights do not hold them."""

    def __init__(self, names: Sequence[str], index: ItemIndex, width: int) -> None:
        super().__init__()
        self.tables, self.numbers = nn.ModuleDict(), nn.ModuleDict()
        for name in names:
            column = index.column(ITEM_COLUMNS[name])
            if name in KINDS:
                kinds_V = np.concatenate([[0] * FIRST_ITEM_ROW, column.astype(np.int64)])
                self._keep(name, kinds_V)
                self.tables[name] = _table(int(kinds_V.max()) + 1, width)
            else:
                values_V, known_V = _standardised(_ages(column) if name == "age" else column)
                self._keep(name, values_V)
                self._keep(f"{name}_known", known_V)
                self.numbers[name] = Number(width)

    def _keep(self, name: str, values_V: NDArray[np.generic]) -> None:
        self.register_buffer(f"{name}_V", torch.from_numpy(values_V), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the sum of the features' vectors (..., D) of int64 rows; of row 0 it is zero."""
        parts = [table(getattr(self, f"{name}_V")[rows]) for name, table in self.tables.items()]
        for name, number in self.numbers.items():
            parts.append(number(getattr(self, f"{name}_V")[rows], getattr(self, f"{name}_known_V")[rows]))
        total: Tensor = sum(parts[1:], start=parts[0])
        return total


class EventFeatures(nn.Module):
    """Vectors of what is known of the events beside their items."""

    def __init__(self, names: Sequence[str], width: int) -> None:
        super().__init__()
        self.gap = Number(width) if "gap" in names else None
        self.rating = _table(HALF_STARS, width) if "rating" in names else None

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of the features' vectors (T, D)."""
        parts = []
        if self.gap is not None:
            gap_T = features["gap"]
            parts.append(self.gap(gap_T, gap_T > UNKNOWN))
        if self.rating is not None:
            parts.append(self.rating(features["rating"]))
        total: Tensor = sum(parts[1:], start=parts[0])
        return total


def event_values(columns: Mapping[str, NDArray[np.generic]], bounds_B1: Rows) -> dict[str, Tensor]:
    """Return what EventFeatures takes, of columns (T,) of EVENT_FEATURES.

    gap: the logarithm of 1 + the days since the event before in the same sequence, UNKNOWN for the first.
    rating: half stars.
    """
    found: dict[str, Tensor] = {}
    if "times" in columns:
        times_T = columns["times"].astype(np.int64)
        known_T = times_T > 0
        known_T[1:] &= times_T[:-1] > 0
        known_T[bounds_B1[:-1]] = False
        days_T = np.maximum(np.diff(times_T, prepend=0), 0) / DAY
        found["gap"] = torch.from_numpy(np.where(known_T, np.log1p(days_T), UNKNOWN).astype(np.float32))
    if "ratings" in columns:
        stars_T = np.nan_to_num(columns["ratings"].astype(np.float32))
        halves_T = np.clip(np.rint(2 * stars_T), 0, HALF_STARS - 1)
        found["rating"] = torch.from_numpy(halves_T.astype(np.int64))
    return found


def _table(kinds: int, width: int) -> nn.Embedding:
    table = nn.Embedding(kinds, width, padding_idx=0)
    nn.init.normal_(table.weight, std=INITIAL_DEVIATION)
    with torch.no_grad():
        table.weight[0].zero_()
    return table


def _ages(first_times: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return how many days each item was there when the newest one came, 0 where that is not known."""
    times = first_times.astype(np.float64)
    return np.where(times > 0, (times.max(initial=0) - times) / DAY + 1, 0.0)


def _standardised(column: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return logarithms with mean 0 and deviation 1 by row, and which are known: those above 0."""
    known = column > 0
    values = np.log1p(np.where(known, column, 0).astype(np.float64))
    mean, deviation = (values[known].mean(), values[known].std()) if known.any() else (0.0, 0.0)
    scaled = np.where(known, (values - mean) / (deviation or 1.0), 0.0)
    nothing = np.zeros(FIRST_ITEM_ROW)
    return np.concatenate([nothing, scaled]).astype(np.float32), np.concatenate([nothing > 0, known])
