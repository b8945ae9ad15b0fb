"""From a block of lines to a table with one row per line: in one stroke where it is clean, else by line.

A grammar is one format. Its fast way takes a whole block to Arrow and gives up at anything odd; its slow way
takes one line to the same columns and says what is wrong. A block that the fast way refuses is cut into parts
until only small pieces around the odd lines are left for the slow way. Both meet in the grammar's checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.blocks import Block
from sequoia.ingest.cut import cut, line_ends

RAW_CHARACTERS = 65_536
SMALL = 64


class BadLineError(ValueError):
    """A line that cannot be used; the message is the reason."""


class NotFastError(ValueError):
    """A block that needs the slow way; a message that ends in `row 17` says where it does."""


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """One format: columns before the checks, the two ways to them, the checks, and whether rows are lines.

    `fast` takes a block and its number of lines; `slow` takes one line to its rows (a sequence has several).
    `check` takes the columns and `reason` to the columns of the bronze table.
    """

    columns: pa.Schema
    fast: Callable[[bytes, int], pa.Table]
    slow: Callable[[str], list[tuple[Any, ...]]]
    check: Callable[[pa.Table], pa.Table]


def parse(grammar: Grammar, block: Block) -> Iterator[pa.Table]:
    """Yield tables with the bronze columns plus `reason` and `raw`, together one row per line, in order."""
    if block.fault:
        yield _faulty(grammar, block.data, block.fault)
        return
    lines = block.data.count(b"\n")
    try:
        yield _fast(grammar, block.data, lines)
    except (NotFastError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        if lines <= SMALL:
            yield _slow(grammar, block.data)
        else:
            for part in cut(block.data, error):
                yield from parse(grammar, Block(data=part))


def _fast(grammar: Grammar, data: bytes, lines: int) -> pa.Table:
    check_utf8(data)
    table = grammar.check(_with_reason(grammar.fast(data, lines)))
    reasons = table.column("reason")
    raw = pa.nulls(len(table), pa.string())
    if reasons.null_count < len(reasons):
        bad = np.flatnonzero(pc.is_valid(reasons).to_numpy(zero_copy_only=False))
        if len(table) != lines:
            raise NotFastError("rows are not lines")
        raw = _texts(data, bad, lines)
    return table.append_column("raw", raw)


def _slow(grammar: Grammar, data: bytes) -> pa.Table:
    rows: list[tuple[Any, ...]] = []
    raws: list[str | None] = []
    for line in data.split(b"\n")[:-1]:
        found, reason = _one(grammar, line)
        rows += [(*row, reason) for row in found]
        raws += [_readable(line)] * len(found)
    schema = grammar.columns.append(pa.field("reason", pa.string()))
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    table = grammar.check(pa.Table.from_arrays(arrays, schema=schema))
    bad = pc.is_valid(table.column("reason"))
    return table.append_column("raw", pc.if_else(bad, pa.array(raws, pa.string()), None))


def _one(grammar: Grammar, line: bytes) -> tuple[list[tuple[Any, ...]], str | None]:
    try:
        if not line.strip():
            raise BadLineError("blank line")
        return grammar.slow(line.decode("utf-8")), None
    except UnicodeDecodeError:
        reason = "not UTF-8"
    except BadLineError as error:
        reason = str(error)
    return [(None,) * len(grammar.columns)], reason


def _faulty(grammar: Grammar, line: bytes, fault: str) -> pa.Table:
    nulls = pa.Table.from_arrays(
        [pa.nulls(1, kind) for kind in grammar.columns.types], schema=grammar.columns
    )
    checked = grammar.check(nulls.append_column("reason", pa.array([fault])))
    return checked.append_column("raw", pa.array([_readable(line.removesuffix(b"\n"))]))


def _with_reason(table: pa.Table) -> pa.Table:
    return table.append_column("reason", pa.nulls(len(table), pa.string()))


def check_utf8(data: bytes) -> None:
    """Raise NotFastError when the bytes are not UTF-8."""
    try:
        if not data.isascii():
            data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start)
        raise NotFastError(f"not UTF-8 in row {row}") from None


def _readable(line: bytes) -> str:
    return line[: 4 * RAW_CHARACTERS].decode("utf-8", "replace")[:RAW_CHARACTERS].replace("\0", "\ufffd")


def _texts(data: bytes, lines: np.ndarray[Any, Any], total: int) -> pa.Array:
    ends = line_ends(data)
    texts: list[str | None] = [None] * total
    for line in lines.tolist():
        texts[line] = _readable(data[ends[line - 1] + 1 if line else 0 : ends[line]])
    return pa.array(texts, pa.string())
