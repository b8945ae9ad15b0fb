"""Names in SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequoia.errors import UserError
from sequoia.tables.identifiers import literal, parts, path_identifier, quoted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("main.sequoia", "`main`.`sequoia`"),
        ("my-shop.order", "`my-shop`.`order`"),
        ("`a.b`.c", "`a.b`.`c`"),
        ("`we``ird`.`x y`", "`we``ird`.`x y`"),
        ("plain", "`plain`"),
        ("main.x; DROP", None),
        ("a..b", None),
        ("a.", None),
        ("", None),
        ("`open.b", None),
    ],
)
def test_every_part_is_quoted_whatever_it_holds(name: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(UserError, match="is no name of a catalog, schema or table"):
            parts(name)
    else:
        assert quoted(*parts(name)) == wanted


def test_a_folder_s_table_is_named_by_its_full_uri() -> None:
    assert path_identifier(Path("/a b/`c`/items")) == "delta.`file:///a b/``c``/items`"
    assert literal("it's \\ here") == "'it\\'s \\\\ here'"
