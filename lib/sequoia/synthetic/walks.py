"""What users take one after the other: projects that go through the stages of a theme, with interruptions.

Planted, from the nearest to the farthest: the next stage follows the last one; after an interruption, which
says nothing of what comes next, the project goes on where it was, so that the event before counts; the brand
is the project's, which one deviating event hides but the earlier ones show; and after the last stage the
theme that follows in the cluster begins, with the brand of the same rank.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.catalogue import Catalogue, Items, Uniform
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.settings import CorpusSettings

RARE_SHARE = 0.4  # of impulses, that go to a rare item

Draw = Callable[[str], Uniform]


class Walk:
    """The users of a block, step by step; their projects are int64 [users], theme -1 before the first one."""

    def __init__(self, draws: Draws, settings: CorpusSettings, users: NDArray[np.uint64]) -> None:
        self._draws, self._settings, self._users = draws, settings, users
        self._catalogue = Catalogue(settings)
        self._theme, self._stage, self._brand = np.full((3, len(users)), -1, dtype=np.int64)

    def events(self, counts: Items) -> tuple[Items, Items, Items]:
        """Return (row of the user in the block, step from 0, item number) of all events, by user and step."""
        user = np.repeat(np.arange(len(counts)), counts)
        first = np.cumsum(counts) - counts
        step = np.arange(len(user)) - np.repeat(first, counts)
        item = np.empty(len(user), dtype=np.int64)
        for number in range(int(counts.max(initial=0))):
            alive = np.flatnonzero(counts > number)
            item[first[alive] + number] = self._take_step(alive, number)
        return user, step, item

    def _take_step(self, rows: Items, step: int) -> Items:
        rare = self._settings.impulse_share * RARE_SHARE
        shares = [self._settings.best_seller_share, self._settings.impulse_share - rare, rare]
        drawn = self._draws.uniform("kind", self._users[rows], step)
        kind = np.searchsorted(np.cumsum(shares), drawn, side="right")
        item = np.empty(len(rows), dtype=np.int64)
        for number, choose in enumerate((self._best_seller, self._impulse, self._rare, self._go_on)):
            chosen = rows[kind == number]
            item[kind == number] = choose(chosen, self._draw_for(chosen, step))
        return item

    def _draw_for(self, rows: Items, step: int) -> Draw:
        users = self._users[rows]
        return lambda name: self._draws.uniform(name, users, step)

    def _best_seller(self, rows: Items, draw: Draw) -> Items:
        return self._catalogue.best_seller(draw("best seller"))

    def _rare(self, rows: Items, draw: Draw) -> Items:
        return self._catalogue.rare(draw("rare"))

    def _impulse(self, rows: Items, draw: Draw) -> Items:
        theme, brand = (
            self._catalogue.theme(draw("impulse theme")),
            self._catalogue.brand(draw("impulse brand")),
        )
        return self._catalogue.item(theme, self._catalogue.stage(draw("impulse stage")), brand)

    def _go_on(self, rows: Items, draw: Draw) -> Items:
        settings, catalogue = self._settings, self._catalogue
        theme, stage, brand = self._theme[rows], self._stage[rows], self._brand[rows]
        is_first = theme < 0
        is_new = is_first | (stage == settings.stages - 1) | (draw("abandon") < settings.abandon_share)
        follows = ~is_first & (draw("follow") < settings.successor_share)
        next_stage = np.minimum(stage + 1 + (draw("skip") < settings.skip_share), settings.stages - 1)
        # A history starts in the middle of a project, or users of one event would know first stages only.
        begun = np.where(is_first, catalogue.stage(draw("stage")), 0)
        next_theme = np.where(follows, catalogue.successor(theme), catalogue.theme(draw("theme")))
        next_brand = np.where(follows, brand, catalogue.brand(draw("brand")))
        theme, stage = np.where(is_new, next_theme, theme), np.where(is_new, begun, next_stage)
        brand = np.where(is_new, next_brand, brand)
        self._theme[rows], self._stage[rows], self._brand[rows] = theme, stage, brand
        is_loyal = draw("loyal") < settings.brand_loyalty
        return catalogue.item(theme, stage, np.where(is_loyal, brand, catalogue.brand(draw("other brand"))))
