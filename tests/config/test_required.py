"""Settings that a file asks for: they come from it or from a layer above, and nothing stands in for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError


def refusal(file: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as refused:
        load_config(file, overrides)
    return str(refused.value)


def test_a_value_of_the_files_below_does_not_count(tmp_path: Path) -> None:
    asking, mine = tmp_path / "shop.yaml", tmp_path / "mine.yaml"
    required = "{tables.namespace: <catalog>.<schema>, seed: <number>}"
    asking.write_text(f"extends: base.yaml\nrequired: {required}\nseed: 5\n")
    assert refusal(asking, "workspace=elsewhere") == (
        f"setting tables.namespace is missing: {asking} has no value for it; "
        "give tables.namespace=<catalog>.<schema>"
    )
    for given in ("tables.namespace=shop.mine", "tables={namespace: shop.mine}", "tables.namespace=null"):
        assert load_config(asking, [given]).seed == 5
    mine.write_text("extends: shop.yaml\ntables: {namespace: shop.mine}\n")
    assert load_config(mine).tables.namespace == "shop.mine"


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("extends: base.yaml\nrequired: {workspace: <folder>, ingest.raw: <folder>}\n")
    assert refusal(file) == (
        f"settings workspace, ingest.raw are missing: {file} has no value for them; "
        "give workspace=<folder> ingest.raw=<folder>"
    )


@pytest.mark.parametrize(
    ("required", "sentence"),
    [
        ("{workspaces: x}", "unknown setting workspaces: did you mean workspace?"),
        ("[workspace]", "required in {file} holds a list, not settings with how they are written"),
        ("{tables: x}", "required in {file} names tables: name single settings"),
        ("{spark.conf.a.b: x}", "required in {file} names spark.conf.a.b: name single settings"),
    ],
)
def test_only_single_settings_can_be_asked_for(required: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(f"extends: base.yaml\nrequired: {required}\n")
    assert refusal(file).startswith(sentence.format(file=file))
