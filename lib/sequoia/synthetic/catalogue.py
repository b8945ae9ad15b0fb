"""The items of a category, numbered by popularity: best sellers, themes of stages x brands, rare items."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.settings import CorpusSettings

CLUSTER = 4  # themes of neighbouring popularity that follow each other in a ring
BRAND_SKEW = 0.6  # each brand of a theme sells this share of the one before
BEST_SELLER_SKEW = 0.7

Items = NDArray[np.int64]
Uniform = NDArray[np.float64]


@dataclass(frozen=True)
class Catalogue:
    """Numbering and popularity of a category's items."""

    settings: CorpusSettings

    def item(self, theme: Items, stage: Items, brand: Items) -> Items:
        """Return item numbers from 0 within the category."""
        place = (theme * self.settings.stages + stage) * self.settings.brands + brand
        return self.settings.best_sellers + place

    def best_seller(self, uniform: Uniform) -> Items:
        """Return one best seller per number in [0, 1), by popularity."""
        return np.searchsorted(self._best_sellers, uniform, side="right")

    def rare(self, uniform: Uniform) -> Items:
        """Return one rare item per number in [0, 1), the first ones less rarely."""
        settings = self.settings
        first = settings.items_per_category - settings.rare_items
        return first + (uniform**2 * settings.rare_items).astype(np.int64)

    def theme(self, uniform: Uniform) -> Items:
        """Return one theme per number in [0, 1), by popularity."""
        return np.searchsorted(self._themes, uniform, side="right")

    def stage(self, uniform: Uniform) -> Items:
        """Return one stage per number in [0, 1), all equally likely."""
        return (uniform * self.settings.stages).astype(np.int64)

    def brand(self, uniform: Uniform) -> Items:
        """Return one brand of a theme per number in [0, 1), by popularity."""
        return np.searchsorted(self._brands, uniform, side="right")

    def successor(self, theme: Items) -> Items:
        """Return the theme that users tend to take up after each theme."""
        first = theme // CLUSTER * CLUSTER
        size = np.minimum(CLUSTER, self.settings.themes - first)
        following: Items = first + (theme - first + 1) % size
        return following

    @cached_property
    def _themes(self) -> Uniform:
        return cumulated(np.arange(1, self.settings.themes + 1) ** -self.settings.theme_skew)

    @cached_property
    def _brands(self) -> Uniform:
        return cumulated(BRAND_SKEW ** np.arange(self.settings.brands))

    @cached_property
    def _best_sellers(self) -> Uniform:
        return cumulated(np.arange(1, self.settings.best_sellers + 1) ** -BEST_SELLER_SKEW)


def cumulated(weights: Uniform) -> Uniform:
    """Return the inner steps of the distribution function, float64 [n - 1], for searchsorted below n."""
    inner: Uniform = np.cumsum(weights / weights.sum())[:-1]
    return inner
