"""Which of several metadata lines of a product is kept, and the columns of items that follow from others.

The most complete line is kept (title, brand, price and category path count one each), then the one with the
longest path, then the smallest title, brand, price, path and source; what is not known comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk, take
from sequoia.buckets.groups import group
from sequoia.buckets.order import run_starts
from sequoia.buckets.strings import hash_strings
from sequoia.ingest.duplicates import Source

LARGEST_BUCKET = 30

# Good metadata lines; source is the place of the file in the sorted list of all.
PRODUCTS = pa.schema(
    [
        ("item", pa.string()),
        ("title", pa.string()),
        ("brand", pa.string()),
        ("price", pa.float64()),
        ("categories", pa.list_(pa.string())),
        ("source", pa.int32()),
    ]
)


def resolve_products(lines: pa.Table, sources: Sequence[Source]) -> pa.Table:
    """Return the items that good metadata lines tell of, each once, in the order of their hashes."""
    items = group(hash_strings(one_chunk(lines.column("item"))))
    depth = pc.fill_null(pc.list_value_length(one_chunk(lines.column("categories"))), 0).to_numpy()
    known = [np.asarray(lines.column(name).is_valid()) for name in ("title", "brand", "price")]
    complete = np.sum([*known, depth > 0], axis=0)[items.order]
    order = np.lexsort((-depth[items.order], -complete, items.codes))
    rows, codes = items.order[order], items.codes[order]
    new = run_starts(codes)
    leader = rows[new][codes]
    equal = (complete[order] == complete[order][new][codes]) & (depth[rows] == depth[leader])
    kept = rows[new].copy()
    several = np.bincount(codes[equal], minlength=len(kept)) > 1
    tied = equal & several[codes]
    kept[several] = _smallest(lines, rows[tied], codes[tied])
    return _with_item_columns(pa.Table.from_batches([take(lines, kept)]), sources)


def _smallest(lines: pa.Table, rows: npt.NDArray[np.int32], codes: npt.NDArray[np.int32]) -> list[int]:
    """Return of each run of equal codes the row with the smallest contents."""
    names = ["title", "brand", "price", "categories", "source"]
    found = pa.Table.from_batches([take(lines.select(names), rows)]).to_pylist()
    best: dict[int, tuple[tuple[Any, ...], int]] = {}
    for row, code, values in zip(rows.tolist(), codes.tolist(), found, strict=True):
        key = tuple((True,) if values[name] is None else (False, values[name]) for name in names)
        if code not in best or key < best[code][0]:
            best[code] = key, row
    return [row for _, row in best.values()]


def _with_item_columns(items: pa.Table, sources: Sequence[Source]) -> pa.Table:
    path = one_chunk(items.column("categories"))
    depth = pc.fill_null(pc.list_value_length(path), 0).to_numpy()
    leaves = np.cumsum(depth) - 1
    leaf = path.flatten().take(pa.array(leaves, mask=depth == 0))
    price = items.column("price").to_numpy()
    names = pa.array([source.name for source in sources], pa.string())
    source = pa.DictionaryArray.from_arrays(one_chunk(items.column("source")), names)
    columns = {name: items.column(name) for name in ("item", "title", "brand", "price", "categories")}
    return pa.table({**columns, "category": leaf, "price_bucket": price_buckets(price), "source": source})


def price_buckets(prices: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Return 0 for no price (NaN), else 1 + floor(2 * log2(1 + price)), at most 30."""
    known = ~np.isnan(prices)
    buckets = np.zeros(len(prices), dtype=np.int32)
    buckets[known] = np.minimum(1 + np.floor(2 * np.log2(1 + prices[known])), LARGEST_BUCKET)
    return buckets
