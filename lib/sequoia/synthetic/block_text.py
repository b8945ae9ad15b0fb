"""The bytes of one block of good lines: CRLF ends and unusable lines scattered among them, and counted.

A block's text depends on the block alone, so that any process can write any of them, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.synthetic.draws import Draws
from sequoia.synthetic.summary import Account

CRLF_SHARE = 0.002
BYTE_ORDER_MARK = "\ufeff".encode()
ENDS = pa.array([b"\n", b"\r\n"])


def block_text(
    lines: pa.BinaryArray,
    damaged: Sequence[tuple[str, str]],
    draws: Draws,
    account: Account,
    *,
    block: int,
    mark: bool = False,
) -> pa.Buffer:
    """Return the text of a block and count what is in it.

    lines: without their ends; damaged: (kind, line), whose surrogate escapes become the bytes they stand
    for; block: its number in the file; mark: start with a byte order mark.
    """
    numbers = np.arange(len(lines))
    has_crlf = draws.uniform("crlf", numbers, block) < CRLF_SHARE
    written = pc.binary_join_element_wise(lines, ENDS.take(pa.array(has_crlf.astype(np.int8))), b"")
    written = _with_damaged(written, damaged, draws, block)
    account.lines += len(written)
    account.dirt["crlf"] += int(has_crlf.sum())
    account.malformed.update(kind for kind, _ in damaged)
    if not mark or not len(written):
        return _bytes_of(written)
    account.dirt["byte_order_mark"] += 1
    return pa.py_buffer(BYTE_ORDER_MARK + _bytes_of(written).to_pybytes())


def _with_damaged(
    lines: pa.BinaryArray, damaged: Sequence[tuple[str, str]], draws: Draws, block: int
) -> pa.BinaryArray:
    if not damaged:
        return lines
    found = pa.array([line.encode("utf-8", "surrogateescape") + b"\n" for _, line in damaged])
    places = draws.below(max(len(lines), 1), "place", np.arange(len(damaged)), block)
    # Never first: a byte order mark belongs to a good line.
    behind = np.minimum(places + 1, len(lines))
    order = np.insert(np.arange(len(lines)), behind, len(lines) + np.arange(len(damaged)))
    return pa.concat_arrays([lines, found]).take(pa.array(order))


def _bytes_of(lines: pa.BinaryArray) -> pa.Buffer:
    """Return the lines behind one another, without a copy: Arrow keeps them so."""
    _, offsets, data = lines.buffers()
    if not len(lines):
        return pa.py_buffer(b"")
    bounds = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return data.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
