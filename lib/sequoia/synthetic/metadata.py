"""Metadata lines: 2018 as JSON, 2014 as Python literals; some items twice, some not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.synthetic.chance import Chance, chances
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.metadata_2014 import fields_2014
from sequoia.synthetic.metadata_2018 import fields_2018
from sequoia.synthetic.products import Product, Products
from sequoia.synthetic.settings import CorpusSettings

CHUNK = 10_000  # items written at once
LONG_DESCRIPTION = "A long story. " * 22_000
FIELDS: dict[int, Callable[[Product, Chance], dict[str, object]]] = {2014: fields_2014, 2018: fields_2018}
SPELL: dict[int, Callable[[object], str]] = {2014: repr, 2018: json.dumps}


@dataclass(frozen=True, kw_only=True)
class MetadataChunk:
    """Lines of metadata, the item number of each, and how many of those are distinct."""

    items: NDArray[np.int64]
    distinct: int
    lines: pa.BinaryArray


def metadata_chunk(
    settings: CorpusSettings, draws: Draws, products: Products, year: int, dirt: Counter[str], chunk: int
) -> MetadataChunk:
    """Return the lines of one run of items in the order of the asins."""
    items = products.by_asin[chunk * CHUNK : (chunk + 1) * CHUNK]
    known = items[draws.uniform("metadata", items) >= settings.without_metadata]
    again = known[draws.uniform("metadata again", known) < settings.metadata_repeats]
    written = np.concatenate([known, again])
    records = [
        FIELDS[year](products.product(item), chance)
        for item, chance in zip(written.tolist(), chances(draws, written, dirt), strict=True)
    ]
    dirt["isbn_asin"] += sum(products.asins[item][0] == "0" for item in written)
    if chunk == 0:
        dirt["long_line"] += _lengthen_one(records)
    respelt = [_escaped(record) for record in records[len(known) :]]
    spelt = [SPELL[year](record).encode() for record in records[: len(known)] + respelt]
    return MetadataChunk(items=written, distinct=len(known), lines=pa.array(spelt, pa.binary()))


def count_chunks(settings: CorpusSettings) -> int:
    """Return the number of runs of items."""
    return -(-settings.items_per_category // CHUNK)


def _lengthen_one(records: list[dict[str, object]]) -> int:
    described = next((record for record in records if record.get("description")), None)
    if described is None:
        return 0
    is_list = isinstance(described["description"], list)
    described["description"] = [LONG_DESCRIPTION] if is_list else LONG_DESCRIPTION
    return 1


def _escaped(record: dict[str, object]) -> dict[str, object]:
    # Repeated lines of the real files spell the same path with and without HTML entities.
    return record | {key: _escape(record[key]) for key in ("category", "categories") if key in record}


def _escape(value: object) -> object:
    if isinstance(value, list):
        return [_escape(part) for part in value]
    return value.replace("&", "&amp;") if isinstance(value, str) else value
