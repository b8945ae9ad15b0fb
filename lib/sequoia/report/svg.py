"""A matplotlib figure as an SVG element inside a page: its text is text, its colours follow the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Colours that stand for the page's own, which differ between a light and a dark screen.
INK, FAINT, PAPER = "#010101", "#020202", "#030303"
SERIES = ("#040401", "#040402", "#040403", "#040404")
MARKERS = ("s", "o", "^", "D")
VARIABLES = {
    INK: "var(--ink-soft)",
    FAINT: "var(--line)",
    PAPER: "var(--card)",
    **{colour: f"var(--series-{place})" for place, colour in enumerate(SERIES, start=1)},
}

STYLE: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How one series of a plot looks."""

    colour: str
    marker: str


def series(place: int) -> Look:
    """Return the look of the series at this place, from 0; looks come again after the fourth."""
    return Look(colour=SERIES[place % len(SERIES)], marker=MARKERS[place % len(MARKERS)])


class Drawing:
    """A figure being drawn; `svg` is there when the `with` block of `drawing` has ended."""

    def __init__(self, figure: Figure, axes: Any) -> None:
        self.figure = figure
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(name: str, *, width: float = 4.6, height: float = 2.7) -> Iterator[Drawing]:
    """Open a figure (inches), turn it into SVG at the end; `name` keeps its ids apart from other figures'."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width, height), layout="constrained")
        open_drawing = Drawing(figure, figure.subplots())
        yield open_drawing
        written = io.StringIO()
        figure.savefig(written, format="svg")
    open_drawing.svg = inlined(written.getvalue())


def inlined(document: str) -> str:
    """Keep the svg element without metadata and unused ids; let the page set size, font and colours."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", "", svg, flags=re.S)
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)
    svg = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg)
    svg = re.sub(r"<(/?)xlink:", r"<\1", svg).replace("xlink:href", "href")
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    return re.sub("|".join(VARIABLES), lambda found: VARIABLES[found.group()], svg)
