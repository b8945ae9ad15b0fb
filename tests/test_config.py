"""Configuration: strict keys, values with bounds, files that extend each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError


def test_base_is_complete_and_overrides_change_one_value() -> None:
    base, changed = load_config(), load_config(overrides=["training.epochs=3"])
    assert changed.training.epochs == 3
    assert changed.model_copy(update={"training": base.training}) == base


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epoch=3", "unknown setting training.epoch: did you mean training.epochs?"),
        ("trainig.epochs=3", "unknown setting trainig: did you mean training?"),
        ("training.epochs=three", "setting training.epochs = 'three': input should be a valid integer"),
        ("training.epochs=0", "setting training.epochs = 0: input should be greater than or equal to 1"),
        ("sequences.ties=file", "setting sequences.ties = 'file': input should be 'shuffled' or 'item'"),
        ("training.batch_size=100", "setting training: batch_size 100 is no multiple of lanes 8"),
        ("training.epochs", "override 'training.epochs' is not of the form section.key=value"),
        ("seed.of=1", "override 'seed.of=1': seed is a value, not a section"),
    ],
)
def test_a_mistake_gives_one_sentence_with_the_key_and_the_remedy(override: str, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        load_config(overrides=[override])
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_a_file_holds_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\ntraining: {epochs: 7}\nseed: 5\n")
    (tmp_path / "tuned.yaml").write_text("extends: mine.yaml\ntraining: {patience: 2}\n")
    config = load_config(tmp_path / "tuned.yaml", ["seed=6"])
    assert (config.training.epochs, config.training.patience, config.seed) == (7, 2, 6)
    assert config.sequences == load_config().sequences


def test_a_missing_file_names_the_shipped_ones() -> None:
    with pytest.raises(UserError, match=r"no configuration file nowhere\.yaml.*base\.yaml"):
        load_config("nowhere.yaml")


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("training: [1, 2\n")
    with pytest.raises(UserError, match="is not YAML"):
        load_config(tmp_path / "broken.yaml")


def test_a_file_without_base_names_the_missing_setting(tmp_path: Path) -> None:
    (tmp_path / "alone.yaml").write_text("seed: 1\n")
    with pytest.raises(UserError, match=r"setting workspace is missing: let the file extend base\.yaml"):
        load_config(tmp_path / "alone.yaml")


def test_processes_without_a_lane_are_refused() -> None:
    with pytest.raises(UserError, match="processes 9 exceed lanes 8"):
        load_config(overrides=["training.processes=9"])
