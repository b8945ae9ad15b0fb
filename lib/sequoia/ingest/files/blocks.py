"""Whole lines of a file in blocks that fit in memory, whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sequoia.ingest.files.gunzip import DamagedError, pieces

BLOCK = 8 << 20
FEW = 10_000  # stretches that are joined faster than Python looks for what is between them
BOM = b"\xef\xbb\xbf"
NEWLINE = ord("\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    r"""Lines, each ended by \n; `fault` says why a block of one line cannot be used."""

    data: bytes
    fault: str | None = None


def blocks(
    path: str,
    *,
    max_line_bytes: int,
    size: int = BLOCK,
    span: tuple[int, int] | None = None,
    at_start: bool = True,
) -> Iterator[Block]:
    """Yield a file's lines in order, in blocks of about `size` bytes, without byte order mark and CR.

    span: only the lines that start within these bytes, as for `pieces`; at_start: a byte order mark may stand
    before the first.
    A line longer than `max_line_bytes` comes alone, cut, with a fault. A damaged gzip ends with its cut
    line, with a fault, and then DamagedError.
    """
    pending = b""
    try:
        for piece in pieces(path, size, span):
            text = piece.removeprefix(BOM) if at_start else piece
            at_start = False
            cut = text.rfind(b"\n") + 1
            if cut:
                yield from _sized(b"".join([pending, memoryview(text)[:cut]]), max_line_bytes)
                pending = b""
            # A giant line is not gathered: one byte more than allowed is enough to know it.
            pending = (pending + text[cut:])[: max_line_bytes + 2]
    except DamagedError:
        if pending:
            yield Block(data=pending + b"\n", fault="damaged gzip")
        raise
    if pending:
        yield from _sized(pending.removesuffix(b"\r") + b"\n", max_line_bytes)


def _sized(data: bytes, max_line_bytes: int) -> Iterator[Block]:
    """Set lines that are too long apart: from a line's start, jump to the last line end within the bound."""
    data = _without_returns(data) if b"\r" in data else data
    start = here = 0
    while here < len(data):
        end = data.rfind(b"\n", here, here + max_line_bytes + 1)
        if end < 0:
            end = data.index(b"\n", here)
            if here > start:
                yield Block(data=data[start:here])
            yield Block(data=data[here : end + 1], fault="longer than max_line_bytes")
            start = end + 1
        here = end + 1
    if here > start:
        yield Block(data=data[start:here] if start else data)


def _without_returns(data: bytes) -> bytes:
    r"""Return lines that end in \n alone."""
    found = list(islice(places(data, b"\r"), FEW))
    if len(found) == FEW:
        return data.replace(b"\r\n", b"\n")
    returns = [place for place in found if data[place + 1] == NEWLINE]  # there is one: lines end in \n
    whole = memoryview(data)
    starts, ends = [0, *(place + 1 for place in returns)], [*returns, len(data)]
    return b"".join(whole[start:end] for start, end in zip(starts, ends, strict=True))


def places(data: bytes, text: bytes) -> Iterator[int]:
    """Yield the places of a text."""
    place = data.find(text)
    while place >= 0:
        yield place
        place = data.find(text, place + 1)


def head(path: str, *, lines: int, max_line_bytes: int) -> list[bytes]:
    """Return the first lines of a file, as many as can be read, each without its end."""
    found: list[bytes] = []
    try:
        for block in blocks(path, max_line_bytes=max_line_bytes, size=1 << 18):
            found += islice(block.data.split(b"\n")[:-1], lines - len(found))
            if len(found) >= lines:
                break
    except DamagedError:
        pass
    return found
