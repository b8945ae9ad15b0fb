"""Every settings file that ships is valid and changes something."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sequoia.config import Config, load_config
from sequoia.errors import UserError

CONF = Path(__file__).parents[1] / "conf"
# Bundle resources end in .yml; they are no settings. Models have sections (tests/models/test_registry.py).
FILES = sorted(path.name for path in CONF.glob("*.yaml"))

# What a file asks for.
REQUIRED = {
    "databricks.yaml": [
        "workspace=/Volumes/shop-data/sequoia/workspace",
        "tables.namespace=shop-data.sequoia",
        "tracking.experiment=/Users/me/sequoia",
        "tracking.registered_model=shop-data.sequoia.next_item",
    ]
}


def test_the_settings_for_databricks_and_for_a_cluster_are_there() -> None:
    assert {"base.yaml", "databricks.yaml", "cluster.yaml"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_file_is_valid(name: str) -> None:
    assert isinstance(load_config(CONF / name, REQUIRED.get(name, [])), Config)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"base.yaml"}))
def test_a_shipped_file_extends_another_and_changes_something(name: str) -> None:
    parent = yaml.safe_load((CONF / name).read_text(encoding="utf-8"))["extends"]
    given = REQUIRED.get(name, [])
    assert load_config(CONF / name, given) != load_config((CONF / name).parent / parent, given)


def test_on_databricks_there_is_no_place_to_write_to_but_the_one_that_is_given() -> None:
    given = REQUIRED["databricks.yaml"]
    with pytest.raises(UserError) as refused:
        load_config("databricks.yaml")
    assert str(refused.value) == (
        "settings workspace, tables.namespace, tracking.experiment, tracking.registered_model are missing: "
        "databricks.yaml has no value for them; give workspace=/Volumes/<catalog>/<schema>/workspace "
        "tables.namespace=<catalog>.<schema> tracking.experiment=/Users/<user>/<name> "
        "tracking.registered_model=<catalog>.<schema>.<name>"
    )
    for left_out in given:
        key = left_out.partition("=")[0]
        with pytest.raises(UserError, match=rf"^setting {key} is missing: .* give {key}=[^ ]+$"):
            load_config("databricks.yaml", [override for override in given if override != left_out])
