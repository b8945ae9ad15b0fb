"""A model is a file of sequoia.models and a file of conf/models, by one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.config.layers import model_defaults
from sequoia.config.models import check_models
from sequoia.errors import UserError
from sequoia.modelling.names import model_names
from sequoia.modelling.registry import find_model, kind_of


def test_every_model_has_its_values_and_they_are_valid() -> None:
    assert list(model_defaults()) == model_names()
    for kind, values in model_defaults().items():
        find_model(kind).settings_type.model_validate(values)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "models.sasrec.width=0",
            "setting models.sasrec.width = 0 must be a whole number of at least 1",
        ),
        ("models.sasrec.dropout=1", "setting models.sasrec.dropout = 1.0 must be a number of at least 0 and"),
        ("models.sasrec.heads=3", "setting models.sasrec: width 64 is no multiple of heads 3: change"),
        (
            "models.counting.window=[]",
            r"setting models.counting.window = \[\] must be a list of whole numbers",
        ),
    ],
)
def test_values_out_of_bounds_are_told_before_training(override: str, sentence: str) -> None:
    config = load_config(overrides=[override])
    with pytest.raises(UserError, match=sentence):
        check_models(config.models, ["counting", "sasrec"])
    check_models(config.models, ["gru4rec"])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("models.sasrec.widht=8", "unknown setting models.sasrec.widht: did you mean models.sasrec.width"),
        ("models.sasrek.width=8", "unknown setting models.sasrek: did you mean models.sasrec?"),
        ("models.sasrec.width=wide", "setting models.sasrec.width = wide must be a whole number"),
        ("training.models=[sasrek]", "sasrek"),
    ],
)
def test_names_and_types_are_told_at_once(override: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_config(overrides=[override])


def test_a_folder_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"kind": "oracle"}')
    known = "counting and gru4rec and sasrec"
    with pytest.raises(UserError, match=f"holds a model of unknown kind 'oracle': known are {known}"):
        kind_of(tmp_path)
    with pytest.raises(UserError, match="holds no model"):
        kind_of(tmp_path / "gone")
