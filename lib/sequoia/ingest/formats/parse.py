"""From a block of lines to a table with one row per line: in one stroke but for the odd lines.

A grammar is one format. Its fast way takes a whole block to Arrow, its slow way one line to the same columns
or to what is wrong with it. Lines that the fast way cannot take go the slow way, where it says which they
are; else the block is cut into ever smaller parts. Both ways meet in the grammar's checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from sequoia.ingest.files.blocks import BOM, Block, places
from sequoia.ingest.formats.odd_lines import cut, line_ends, without_lines

Lines = NDArray[np.bool_]  # one for each line of a block

RAW_CHARACTERS = 65_536
SMALL = 64
STRETCH = 32 << 10  # bytes
TRIES = 40  # odd lines that a block is read again for, before it is cut into pieces


class BadLineError(ValueError):
    """A line that cannot be used; the message is the reason."""


class NotFastError(ValueError):
    """A block that needs the slow way; a message that ends in `row 17` says where it does."""


class OddLinesError(NotFastError):
    """A block that can be read without these lines: a bool for each line."""

    def __init__(self, odd: Lines) -> None:
        super().__init__(f"{odd.sum()} odd lines")
        self.odd = odd


REFUSED = (NotFastError, pa.ArrowInvalid, pa.ArrowNotImplementedError)


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """One format: columns before the checks, the two ways to them, and the checks.

    `fast` takes a block and its number of lines to a table, and to the lines that are not in it, None for
    none; `slow` takes one line to its rows (a sequence has several). `check` takes the columns and `reason`
    to the columns of the bronze table. `look` says which lines of a block `fast` cannot take, as far as a
    glance tells; it is given no others.
    """

    columns: pa.Schema
    fast: Callable[[bytes, int], tuple[pa.Table, Lines | None]]
    slow: Callable[[str], list[tuple[Any, ...]]]
    check: Callable[[pa.Table], pa.Table]
    look: Callable[[bytes], Lines] | None = None
    row_per_line: bool = True


def parse(grammar: Grammar, block: Block) -> pa.Table:
    """Return the bronze columns plus `reason` and `raw`, the rows of each line in order."""
    if block.fault:
        return _faulty(grammar, block.data, block.fault)
    odd = _looks_odd(grammar, block.data)
    if odd is not None:
        return _without(grammar, block.data, odd, TRIES).combine_chunks()
    return _rows(grammar, block.data, len(line_ends(block.data)), TRIES).combine_chunks()


def _rows(grammar: Grammar, data: bytes, lines: int, tries: int) -> pa.Table:
    """Return the rows of so many lines that were looked at."""
    marked = _marked(data)
    if marked is not None:
        return _without(grammar, data, marked, tries)
    try:
        table, odd = grammar.fast(data, lines)
        if odd is None:
            return _checked(grammar, table, data, lines)
        rest, apart = without_lines(data, odd)
        return _in_order(odd, _checked(grammar, table, rest, len(table)), _slow(grammar, apart))
    except OddLinesError as error:
        return _without(grammar, data, error.odd, tries)
    except REFUSED as error:
        if lines <= SMALL:
            return _slow(grammar, data)
        parts = cut(data, error, tries)
        return pa.concat_tables([_rows(grammar, part, len(line_ends(part)), tries - 1) for part in parts])


def _without(grammar: Grammar, data: bytes, odd: Lines, tries: int) -> pa.Table:
    """Return the rows of lines that were looked at; odd: those to take the slow way."""
    if not grammar.row_per_line:
        return _slow(grammar, data)
    rest, apart = without_lines(data, odd)
    slow = _slow(grammar, apart)
    return _in_order(odd, _rows(grammar, rest, int((~odd).sum()), tries), slow) if rest else slow


def _checked(grammar: Grammar, table: pa.Table, data: bytes, lines: int) -> pa.Table:
    table = grammar.check(table.append_column("reason", pa.nulls(len(table), pa.string())))
    reasons = table.column("reason")
    raw = pa.nulls(len(table), pa.string())
    if reasons.null_count < len(reasons):
        bad = np.flatnonzero(pc.is_valid(reasons).to_numpy(zero_copy_only=False))
        if len(table) != lines:
            raise NotFastError("rows are not lines")
        raw = _texts(data, bad, lines)
    return table.append_column("raw", raw)


def _in_order(odd: Lines, others: pa.Table, odd_ones: pa.Table) -> pa.Table:
    """Return the rows of all lines in order, where each line has one row."""
    assert (len(others), len(odd_ones)) == ((~odd).sum(), odd.sum())
    starts = np.flatnonzero(np.diff(odd, prepend=not odd[0]))
    lengths = np.diff(starts, append=len(odd))
    runs, done = [], {False: 0, True: 0}
    for kind, length in zip(odd[starts].tolist(), lengths.tolist(), strict=True):
        runs.append((odd_ones if kind else others).slice(done[kind], length))
        done[kind] += length
    return pa.concat_tables(runs)


def flags(found: pa.ChunkedArray, *, null: bool) -> Lines:
    """Return what a column of truth values says of each line, `null` where it says nothing."""
    return np.asarray(pc.fill_null(found, null), dtype=bool)


def set_apart(table: pa.Table, odd: Lines | None, bad: Lines) -> tuple[pa.Table, Lines | None]:
    """Take rows out of a table whose lines, among those not odd before, need the slow way."""
    if not bad.any():
        return table, odd
    found = np.zeros(len(table), dtype=bool) if odd is None else odd.copy()
    found[np.flatnonzero(~found)[bad]] = True
    return table.filter(pa.array(~bad)), found


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


def _looks_odd(grammar: Grammar, data: bytes) -> Lines | None:
    """Return the lines that a glance tells to be odd, None for none."""
    looks = [_bad_utf8(data), _marked(data), grammar.look(data) if grammar.look else None]
    odd = [lines for lines in looks if lines is not None and lines.any()]
    return np.logical_or.reduce(odd) if odd else None


def _bad_utf8(data: bytes) -> Lines | None:
    """Return the lines that are not UTF-8, None for none."""
    if _is_utf8(data):
        return None
    found: list[int] = []
    for start, part in _stretches(data):
        if not _is_utf8(part):
            found += [start + place for place in _not_utf8(part)]
    return lines_of(data, found)


def _is_utf8(data: bytes) -> bool:
    bounds = np.array([0, len(data)], np.int32)
    try:
        # A tenth of the time that Python takes to decode.
        pa.StringArray.from_buffers(1, pa.py_buffer(bounds), pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _stretches(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (place, lines) for some hundred parts of a block."""
    start = 0
    while start < len(data):
        end = data.index(b"\n", min(start + STRETCH, len(data) - 1)) + 1
        yield start, data[start:end]
        start = end


def _not_utf8(lines: bytes) -> list[int]:
    """Return a place in each line that is not UTF-8."""
    found: list[int] = []
    whole, start = memoryview(lines), 0
    while start < len(lines):
        try:
            str(whole[start:], "utf-8")
            break
        except UnicodeDecodeError as error:
            found.append(start + error.start)
            start = lines.index(b"\n", start + error.start) + 1
    return found


def _marked(data: bytes) -> Lines | None:
    """Return the lines after a byte order mark where the block begins with one: Arrow would drop it."""
    if not data.startswith(BOM):
        return None
    return lines_of(data, [0, *(place + 1 for place in places(data, b"\n" + BOM))])


def lines_of(data: bytes, inside: ArrayLike) -> Lines:
    """Return for each line whether one of these places lies in it."""
    ends = line_ends(data)
    odd = np.zeros(len(ends), dtype=bool)
    odd[np.searchsorted(ends, np.asarray(inside, np.int64))] = True
    return odd


def _readable(line: bytes) -> str:
    return line[: 4 * RAW_CHARACTERS].decode("utf-8", "replace")[:RAW_CHARACTERS].replace("\0", "\ufffd")


def _texts(data: bytes, lines: np.ndarray[Any, Any], total: int) -> pa.Array:
    ends = line_ends(data)
    texts: list[str | None] = [None] * total
    for line in lines.tolist():
        texts[line] = _readable(data[ends[line - 1] + 1 if line else 0 : ends[line]])
    return pa.array(texts, pa.string())
