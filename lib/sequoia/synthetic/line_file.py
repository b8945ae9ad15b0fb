"""A gzip file of lines in one stream, the same bytes for the same lines, renamed into place when complete."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import TracebackType

import numpy as np

from sequoia.synthetic.draws import Draws
from sequoia.synthetic.summary import Account

# Level 1: the text is regular anyway, and more effort takes longer than generating the lines.
COMPRESSION = 1
CRLF_SHARE = 0.002
BYTE_ORDER_MARK = "\ufeff"

Damaged = list[tuple[str, str]]


class LineFile:
    """Takes blocks of good lines, scatters CRLF ends and unusable lines among them, and counts."""

    def __init__(
        self, path: Path, draws: Draws, account: Account, damaged: Damaged, *, blocks: int, mark: bool = False
    ) -> None:
        """Prepare for a number of blocks; damaged holds (kind, line); mark: start with a byte order mark."""
        self.path, self.account = path, account
        self._draws, self._damaged, self._blocks, self._mark = draws, damaged, blocks, mark
        self._block = 0
        self._good = 0

    def __enter__(self) -> LineFile:
        self._part = self.path.with_name(self.path.name + ".part")
        self._raw = self._part.open("wb")
        self._stream = gzip.GzipFile("", "wb", COMPRESSION, self._raw, mtime=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._raw.close()
        if kind is None:
            self._part.replace(self.path)
        else:
            self._part.unlink()

    @property
    def is_first_block(self) -> bool:
        """Tell whether nothing has been written yet."""
        return self._block == 0

    def write(self, lines: list[str]) -> None:
        """Write one block of good lines; surrogate escapes become the bytes they stand for."""
        written = self._with_crlf(lines)
        self._insert_damaged(written)
        if self._mark and self.is_first_block and written:
            written[0] = BYTE_ORDER_MARK + written[0]
            self.account.dirt["byte_order_mark"] += 1
        self.account.lines += len(written)
        self._block += 1
        if written:
            text = "\n".join(written) + "\n"
            self._stream.write(text.encode("utf-8", "surrogateescape"))

    def _with_crlf(self, lines: list[str]) -> list[str]:
        numbers = np.arange(self._good, self._good + len(lines))
        self._good += len(lines)
        chosen = np.flatnonzero(self._draws.uniform("crlf", numbers) < CRLF_SHARE)
        written = list(lines)
        for row in chosen.tolist():
            written[row] += "\r"
        self.account.dirt["crlf"] += len(chosen)
        return written

    def _insert_damaged(self, lines: list[str]) -> None:
        for number in range(self._block, len(self._damaged), self._blocks):
            kind, line = self._damaged[number]
            place = self._draws.below(max(len(lines), 1), "place", number).item()
            lines.insert(place + 1, line)  # never first: a byte order mark belongs to a good line
            self.account.malformed[kind] += 1
