"""Histories of several users in flat arrays: what a model is asked about. Needs numpy alone.

Shape letters: B users, T events of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

# Rows of a model's item index that are no items: padding, and an item that the model does not know.
PADDING_ROW, UNKNOWN_ROW, FIRST_ITEM_ROW = 0, 1, 2
# What may be known of an event besides its item, and as what: milliseconds since 1970, stars; 0 is unknown.
EVENT_FEATURES: dict[str, np.dtype[Any]] = {"times": np.dtype(np.int64), "ratings": np.dtype(np.float32)}


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Events of B users, oldest first: those of user b lie from bounds_B1[b] to bounds_B1[b + 1].

    items_T: int64 rows of an item index. features: of the names in EVENT_FEATURES, an array (T,) of each.
    """

    items_T: Rows
    bounds_B1: Rows
    features: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.bounds_B1) - 1

    @staticmethod
    def of(lists: Sequence[Rows | Sequence[int]]) -> Histories:
        """Make histories of items alone."""
        bounds_B1 = np.cumsum([0, *map(len, lists)])
        flat = [np.asarray(one, np.int64) for one in lists]
        return Histories(items_T=np.concatenate([np.zeros(0, np.int64), *flat]), bounds_B1=bounds_B1)

    @property
    def lengths(self) -> Rows:
        """Return how many events each user has."""
        return np.diff(self.bounds_B1)

    @property
    def users(self) -> Rows:
        """Return whose event each one is, from 0."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def back(self) -> Rows:
        """Return how many events of its user are newer than each one."""
        return np.repeat(self.bounds_B1[1:], self.lengths) - 1 - np.arange(len(self.items_T))

    def lists(self) -> list[Rows]:
        """Return the items of each user."""
        return np.split(self.items_T, self.bounds_B1[1:-1]) if len(self) else []

    def where(self, kept_T: NDArray[np.bool_]) -> Histories:
        """Return some of the events; users stay, also without any."""
        before = np.concatenate([[0], np.cumsum(kept_T)])
        return Histories(
            items_T=self.items_T[kept_T],
            bounds_B1=before[self.bounds_B1],
            features={name: values[kept_T] for name, values in self.features.items()},
        )

    def newest(self, count: int) -> Histories:
        """Return the last events of each user, at most so many."""
        return self if self.lengths.max(initial=0) <= count else self.where(self.back < count)

    def known(self) -> Histories:
        """Return the events of items that the model knows."""
        known_T = self.items_T >= FIRST_ITEM_ROW
        return self if known_T.all() else self.where(known_T)

    def with_items(self, items_T: Rows) -> Histories:
        """Return the same events with other rows, such as those of another index."""
        return Histories(items_T=items_T, bounds_B1=self.bounds_B1, features=self.features)

    def take(self, users: Rows) -> Histories:
        """Return some users, in the order given."""
        lengths = self.lengths[users]
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        events = np.arange(bounds[-1]) + np.repeat(self.bounds_B1[users] - bounds[:-1], lengths)
        return Histories(
            items_T=self.items_T[events],
            bounds_B1=bounds,
            features={name: values[events] for name, values in self.features.items()},
        )
