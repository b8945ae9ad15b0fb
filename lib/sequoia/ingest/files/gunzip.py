"""Bytes of a file, unzipped on the way, up to the very place where a damaged gzip stops making sense."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from sequoia.storage import locate, open_bytes

COMPRESSED = 1 << 21  # bytes read at once: they become a block of lines, about
GZIP = 31  # zlib's window bits for a gzip stream with header and checksum


class DamagedError(Exception):
    """The gzip is cut or corrupt; everything before the damage has been handed out."""


def pieces(path: str, size: int, span: tuple[int, int] | None = None) -> Iterator[bytes]:
    """Yield the file's contents in pieces of about `size` bytes; names that end in .gz are unzipped.

    span: of a file that is not zipped, only the lines that start at its first byte or later and before its
    last. Raises DamagedError after the last good byte of a truncated or corrupt gzip.
    """
    with open_bytes(locate(path)) as file:
        if not path.endswith(".gz"):
            yield from _lines_between(file, size, *span) if span else iter(lambda: file.read(size), b"")
            return
        given = 0
        try:
            for piece in _unzip(file, size):
                given += len(piece)
                yield piece
        except IsalError:  # type: ignore[misc]  # its stub declares an instance
            yield from _salvage(path, given)


def _lines_between(file: BinaryIO, size: int, begin: int, end: int) -> Iterator[bytes]:
    here = file.seek(max(0, begin - 1))
    inside = begin == 0
    while piece := file.read(size):
        if not inside:
            behind = piece.find(b"\n") + 1
            inside = behind > 0
            here, piece = here + (behind or len(piece)), piece[behind:]
            if here >= end:
                return
        if inside:
            # A line end before the last byte of the span has another line of it behind.
            cut = piece.find(b"\n", max(0, end - 1 - here)) + 1
            yield piece[:cut] if cut else piece
            if cut:
                return
            here += len(piece)


def _unzip(file: BinaryIO, size: int) -> Iterator[bytes]:
    compressed = file.read(COMPRESSED)
    while compressed:
        stream = isal_zlib.decompressobj(wbits=GZIP)
        while not stream.eof:
            out = stream.decompress(compressed, size)
            compressed = stream.unconsumed_tail or (b"" if stream.eof else file.read(COMPRESSED))
            # The library may hold output back although it took all input: an empty round tells the end.
            if not (out or compressed or stream.eof):
                raise DamagedError("the gzip ends too early")
            if out:
                yield out
        compressed = stream.unused_data or file.read(COMPRESSED)
        compressed = compressed.lstrip(b"\0") or _after_padding(file)


def _after_padding(file: BinaryIO) -> bytes:
    while compressed := file.read(COMPRESSED):
        if rest := compressed.lstrip(b"\0"):
            return rest
    return b""


def _salvage(path: str, given: int) -> Iterator[bytes]:
    """Unzip again with zlib, byte by byte where it fails, for what was not given yet."""
    seen = 0
    for piece in _up_to_damage(path):
        fresh = piece[max(0, given - seen) :]
        seen += len(piece)
        if fresh:
            yield fresh
    raise DamagedError("the gzip is corrupt")


def _up_to_damage(path: str) -> Iterator[bytes]:
    # zlib's state can be copied, that of isal cannot.
    stream = zlib.decompressobj(wbits=GZIP)
    with open_bytes(locate(path)) as file:
        while compressed := file.read(1 << 14):
            try:
                while compressed:
                    before = stream.copy()
                    yield stream.decompress(compressed)
                    compressed = stream.unused_data.lstrip(b"\0") if stream.eof else b""
                    stream = zlib.decompressobj(wbits=GZIP) if stream.eof else stream
            except zlib.error:
                yield from _byte_by_byte(before, compressed)
                return


def _byte_by_byte(stream: zlib._Decompress, compressed: bytes) -> Iterator[bytes]:
    try:
        for byte in compressed:
            yield stream.decompress(bytes([byte]))
    except zlib.error:
        return
