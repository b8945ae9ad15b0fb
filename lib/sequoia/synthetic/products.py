"""What an item is, however a metadata file spells it: title, brand, category path, price, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.catalogue import CLUSTER, Catalogue
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.words import (
    best_seller_brand,
    best_seller_name,
    brand_name,
    rare_item_name,
    stage_name,
    theme_name,
)

EXPENSIVE_SHARE = 0.02  # of items, priced in the thousands


@dataclass(frozen=True, kw_only=True)
class Product:
    """One item in plain text."""

    asin: str
    title: str
    brand: str
    path: list[str]  # category path, broadest first
    price: float  # US dollars
    rank: int  # popularity by design, from 1
    also_bought: list[str]  # asins


class Products:
    """The products of one category; asins is an object array [items]."""

    def __init__(
        self, settings: CorpusSettings, draws: Draws, category: str, asins: NDArray[np.object_]
    ) -> None:
        self.asins = asins
        self._settings = settings
        self._category = category.replace("_", " ")
        self._catalogue = Catalogue(settings)
        self._prices = _prices(settings, draws)

    @cached_property
    def by_asin(self) -> NDArray[np.int64]:
        """Return the item numbers in the order of their asins."""
        order: NDArray[np.int64] = np.argsort(self.asins)
        return order

    def product(self, item: int) -> Product:
        """Describe an item of the category by its number."""
        title, brand, path, also_bought = self._outside_themes(item) or self._theme_item(item)
        return Product(
            asin=self.asins[item],
            title=title,
            brand=brand,
            path=[self._category, *path],
            price=self._prices[item],
            rank=item + 1,
            also_bought=[self.asins[number] for number in also_bought],
        )

    def _outside_themes(self, item: int) -> tuple[str, str, list[str], list[int]] | None:
        if item < self._settings.best_sellers:
            return best_seller_name(item), best_seller_brand(item), ["Best Sellers"], []
        rank = item - self._settings.items_per_category + self._settings.rare_items
        return (rare_item_name(rank), "Farrow's", ["Rare & Curious"], []) if rank >= 0 else None

    def _theme_item(self, item: int) -> tuple[str, str, list[str], list[int]]:
        place, brand_rank = divmod(item - self._settings.best_sellers, self._settings.brands)
        theme, stage = divmod(place, self._settings.stages)
        brand = brand_name(theme, brand_rank)
        region = f"{theme_name(theme // CLUSTER * CLUSTER)} & Friends"
        kind = "Accessories" if stage % 2 else "Sets"
        path = ["New & Used", kind, region, theme_name(theme), f"{theme_name(theme)} {stage_name(stage)}"]
        return f"{brand} {theme_name(theme)} {stage_name(stage)}", brand, path, self._next_stage(theme, stage)

    def _next_stage(self, theme: int, stage: int) -> list[int]:
        themes, stages = np.array([theme]), np.array([stage + 1])
        if stage + 1 == self._settings.stages:
            themes, stages = self._catalogue.successor(themes), np.array([0])
        return [int(item) for item in self._catalogue.item(themes, stages, np.arange(self._settings.brands))]


def _prices(settings: CorpusSettings, draws: Draws) -> list[float]:
    items = np.arange(settings.items_per_category)
    usual = np.round(3 * (1 - draws.uniform("price", items)) ** -0.8, 2)
    high = 1000.0 + 50 * draws.below(80, "high price", items)
    is_expensive = draws.uniform("expensive", items) < EXPENSIVE_SHARE
    return [float(price) for price in np.where(is_expensive, high, np.minimum(usual, 999.99))]
