"""The planted order itself, before dates, copies and files hide it."""

from __future__ import annotations

import numpy as np
import pytest

from sequoia.synthetic.catalogue import Catalogue
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.walks import Walk

CERTAIN = {
    "best_seller_share": 0.0,
    "impulse_share": 0.0,
    "skip_share": 0.0,
    "abandon_share": 0.0,
    "successor_share": 1.0,
    "brand_loyalty": 1.0,
}


def walks(settings, users=500, length=12):
    numbers = np.arange(users, dtype=np.uint64)
    user, step, item = Walk(Draws(3, "c"), settings, numbers).events(np.full(users, length))
    assert user.tolist() == np.repeat(np.arange(users), length).tolist()
    assert step.tolist() == np.tile(np.arange(length), users).tolist()
    return item.reshape(users, length)


def places(settings, items):
    theme_stage, brand = np.divmod(items - settings.best_sellers, settings.brands)
    theme, stage = np.divmod(theme_stage, settings.stages)
    return theme, stage, brand


def test_without_chance_a_project_goes_through_all_stages_and_on_to_the_next_theme(small_settings):
    settings = small_settings.model_copy(update=CERTAIN)
    theme, stage, brand = places(settings, walks(settings))
    is_last = stage[:, :-1] == settings.stages - 1
    assert (stage[:, 1:] == np.where(is_last, 0, stage[:, :-1] + 1)).all()
    following = Catalogue(settings).successor(theme[:, :-1])
    assert (theme[:, 1:] == np.where(is_last, following, theme[:, :-1])).all()
    assert (brand == brand[:, :1]).all()


def test_themes_of_a_cluster_follow_each_other_in_a_ring(small_settings):
    catalogue = Catalogue(small_settings.model_copy(update={"themes": 6}))
    assert catalogue.successor(np.arange(6)).tolist() == [1, 2, 3, 0, 5, 4]


def test_an_interruption_does_not_move_the_project(small_settings):
    settings = small_settings.model_copy(update=CERTAIN | {"best_seller_share": 0.3})
    items = walks(settings)
    assert (items < settings.best_sellers).mean() == pytest.approx(0.3, abs=0.02)
    for row in items:
        theme, stage, _ = places(settings, row[row >= settings.best_sellers])
        assert (np.diff(stage) % settings.stages == 1).all()
        assert len(set(theme // 4)) <= 1


def test_the_last_two_events_say_more_of_the_brand_than_the_last_one(small_settings):
    settings = small_settings.model_copy(update=CERTAIN | {"brand_loyalty": 0.6})
    _, _, brand = places(settings, walks(settings, users=4000))
    before, last, following = brand[:, 4], brand[:, 5], brand[:, 6]
    same = (following == last).mean()
    same_twice = (following == last)[before == last].mean()
    assert same_twice > same + 0.05


def test_shares_of_interruptions(small_settings):
    settings = small_settings.model_copy(update={"best_seller_share": 0.0, "impulse_share": 0.5})
    items = walks(settings, users=2000)
    first_rare = settings.items_per_category - settings.rare_items
    assert (items >= first_rare).mean() == pytest.approx(0.2, abs=0.02)
    assert items.max() < settings.items_per_category
