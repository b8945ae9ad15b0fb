"""Every settings file that ships is valid and changes something."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sequoia.config import Config, load_config

CONF = Path(__file__).parents[1] / "conf"
# Bundle resources end in .yml; they are no settings.
FILES = sorted(path.relative_to(CONF).as_posix() for path in CONF.rglob("*.yaml"))


def test_the_settings_for_databricks_and_for_a_cluster_are_there() -> None:
    assert {"base.yaml", "databricks.yaml", "cluster.yaml"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_file_is_valid(name: str) -> None:
    assert isinstance(load_config(CONF / name), Config)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"base.yaml"}))
def test_a_shipped_file_extends_another_and_changes_something(name: str) -> None:
    parent = yaml.safe_load((CONF / name).read_text(encoding="utf-8"))["extends"]
    assert load_config(CONF / name) != load_config((CONF / name).parent / parent)
