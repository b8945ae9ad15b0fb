"""Product metadata lines of 2018 (JSON) and 2014 (Python literals), cleaned."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.formats import product_texts
from sequoia.ingest.formats.json_lines import JsonBlocks, read_line, text_of
from sequoia.ingest.formats.parse import Grammar
from sequoia.ingest.formats.usable_events import blank_bad_rows

PRODUCT = pa.schema(
    [
        ("item", pa.string()),
        ("title", pa.string()),
        ("brand", pa.string()),
        ("price", pa.float64()),
        ("categories", pa.list_(pa.string())),
    ]
)
LINE = pa.schema(
    [
        ("asin", pa.string()),
        ("title", pa.string()),
        ("brand", pa.string()),
        ("price", pa.string()),
        ("category", pa.list_(pa.string())),
        ("main_cat", pa.string()),
    ]
)
KEYS = frozenset([*LINE.names, "categories"])


def metadata() -> Grammar:
    """Return the grammar of metadata lines."""
    blocks = JsonBlocks(LINE)

    def fast(data: bytes, lines: int) -> tuple[pa.Table, None]:
        return _fast(blocks, data, lines)

    return Grammar(columns=PRODUCT, fast=fast, slow=_slow, check=_check, look=blocks.odd)


def _fast(blocks: JsonBlocks, data: bytes, lines: int) -> tuple[pa.Table, None]:
    # `categories` of 2014 is no column here: Arrow would pass it over, so such a block takes the slow way.
    if b'"categories"' in data:
        raise pa.ArrowInvalid("2014 categories")
    table = blocks.read(data, lines)
    rows = [_row(values) for values in table.to_pylist()]
    arrays = [
        pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), PRODUCT.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=PRODUCT), None


def _slow(line: str) -> list[tuple[Any, ...]]:
    values = read_line(line, KEYS)
    return [_row({**values, "asin": text_of(values, "asin")})]


def _row(values: dict[str, Any]) -> tuple[Any, ...]:
    path = values.get("category") or values.get("categories")
    return (
        values["asin"],
        product_texts.text(values.get("title")),
        product_texts.brand(values.get("brand")),
        product_texts.price(values.get("price")),
        product_texts.categories(path, values.get("main_cat")),
    )


def _check(table: pa.Table) -> pa.Table:
    item = table.column("item")
    missing = pc.or_(pc.is_null(item), pc.equal(pc.fill_null(item, ""), ""))
    return blank_bad_rows(table, [(missing, "item is missing")])
