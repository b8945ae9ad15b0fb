"""JSON lines in one stroke, and one line as JSON or as a Python literal (the 2014 files)."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json

from sequoia.ingest.files.blocks import places
from sequoia.ingest.formats.odd_lines import line_ends
from sequoia.ingest.formats.parse import BadLineError, Lines, NotFastError, OddLinesError, lines_of

CHANGED = re.compile(r"Column\(/(\w+)\) changed from \w+ to string")


class JsonBlocks:
    """Reads blocks of a file. Where a number was a text once, it will be again: such lines are looked for."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._texts: frozenset[bytes] = frozenset()  # replaced, not added to: threads go through it

    def read(self, data: bytes, lines: int) -> pa.Table:
        """Read a block of JSON objects, one a line, into the columns of the schema; other keys are ignored.

        Raises NotFastError or ArrowInvalid when the block is anything else. Arrow takes objects wherever they
        stand. But when every line starts with a brace and ends with one, as `odd` makes sure, each line end
        is between two objects, and with as many objects as lines each line is exactly one.
        """
        reading = pa.json.ReadOptions(use_threads=False, block_size=len(data) + 1)
        parsing = pa.json.ParseOptions(explicit_schema=self._schema, unexpected_field_behavior="ignore")
        try:
            table = pa.json.read_json(pa.BufferReader(data), read_options=reading, parse_options=parsing)
        except pa.ArrowInvalid as error:
            self._learn(error, data)
            odd = self._with_texts(data)
            if odd.any():
                raise OddLinesError(odd) from None
            raise
        if len(table) != lines:
            raise NotFastError("rows are not lines")
        return table

    def odd(self, data: bytes) -> Lines:
        """Return the lines that go not from brace to brace, or have a text where there was none before."""
        return _without_braces(data) | self._with_texts(data) if self._texts else _without_braces(data)

    def _learn(self, error: Exception, data: bytes) -> None:
        """Note how a text begins that should be none."""
        found = CHANGED.search(str(error))
        begins = [f'"{found[1]}"{colon}"'.encode() for colon in (":", ": ")] if found else []
        self._texts |= {text for text in begins if text in data}

    def _with_texts(self, data: bytes) -> Lines:
        return lines_of(data, [place for text in self._texts for place in places(data, text)])


def _without_braces(data: bytes) -> Lines:
    """Say of each line whether it does not go from brace to brace."""
    text, ends = np.frombuffer(data, np.uint8), line_ends(data)
    starts = np.concatenate([[0], ends[:-1] + 1])
    odd: Lines = (text[starts] != ord("{")) | (text[ends - 1] != ord("}")) | (ends - starts < 2)
    return odd


def read_line(line: str, keys: frozenset[str]) -> dict[str, Any]:
    """Read one object and return its values of the keys wanted.

    Raises BadLineError when the line is neither JSON nor a Python literal, no object, or gives a key two
    values.
    """
    try:
        found = json.loads(line, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        found = _literal(line)
    if not isinstance(found, _Pairs):
        raise BadLineError("not an object")
    values: dict[str, Any] = {}
    for key, value in found:
        if key in keys:
            if key in values and values[key] != value:
                raise BadLineError(f"two values of {key}")
            values[key] = value
    return values


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that a repeated key is seen."""


def _literal(line: str) -> object:
    try:
        found = ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise BadLineError("neither JSON nor a Python literal") from None
    return _Pairs(found.items()) if isinstance(found, dict) else found


def text_of(values: dict[str, Any], key: str) -> str | None:
    """Return a text value, None when absent or null; BadLineError for anything else."""
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadLineError(f"{key} is not a text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadLineError(f"{key} is not Unicode") from None
    return value


def number_of(values: dict[str, Any], key: str) -> float | int | None:
    """Return a number, None when absent or null; BadLineError for anything else."""
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadLineError(f"{key} is not a number")
    return value
