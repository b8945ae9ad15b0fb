"""Plain text tables for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 100
GAP = "  "


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> list[str]:
    """Align the first `texts` columns to the left, the others to the right; the first one gives way."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    others = sum(widths[1:]) + len(GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], max(WIDTH - others, 8))
    return [_aligned(cells, widths, texts) for cells in (header, ["-" * width for width in widths], *rows)]


def shorten(text: str, width: int) -> str:
    """Cut a text to the width, on one line without control characters; dots stand for what is missing."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= width else line[: width - 3].rstrip() + "..."


def _aligned(cells: Sequence[str], widths: Sequence[int], texts: int) -> str:
    first = shorten(cells[0], widths[0])
    padded = [
        cell.ljust(width) if place < texts else cell.rjust(width)
        for place, (cell, width) in enumerate(zip([first, *cells[1:]], widths, strict=True))
    ]
    return GAP.join(padded).rstrip()
