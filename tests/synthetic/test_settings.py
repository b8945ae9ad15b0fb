from __future__ import annotations

import pytest
from pydantic import ValidationError

from sequoia.synthetic.settings import CorpusSettings


def changed(settings, **values):
    return CorpusSettings.model_validate(settings.model_dump() | values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"single_share": 0.9, "active_share": 0.2}, "exceeds 1: lower one of them"),
        ({"best_seller_share": 0.6, "impulse_share": 0.6}, "exceeds 1: lower one of them"),
        ({"categories": {"a/b": 2018}}, "cannot be part of a file name"),
        ({"categories": {"Pens": 2023}}, "2014 or 2018"),
        ({"categories": {}}, "at least 1"),
        ({"users": 0}, "greater than or equal to 1"),
        ({"user": 1}, "Extra inputs"),
    ],
)
def test_impossible_settings_are_refused(small_settings, values, message):
    with pytest.raises(ValidationError, match=message):
        changed(small_settings, **values)


def test_settings_cannot_be_changed(small_settings):
    with pytest.raises(ValidationError, match="frozen"):
        small_settings.users = 5


def test_catalogue_size(small_settings):
    assert small_settings.items_per_category == 10 + 2 * 8 * 6 * 3
