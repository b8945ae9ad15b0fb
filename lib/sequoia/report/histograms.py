"""Plots of the data: interactions over time, stars, sequence lengths, rounds of the k-core filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from sequoia.report.curves import curve_axes
from sequoia.report.shapes import LONGEST, Round, Shapes
from sequoia.report.svg import drawing, series

COUNTS = StrMethodFormatter("{x:,.0f}")
COLOUR = series(1).colour
TICKS = 6


def events_plot(shapes: Shapes) -> str:
    """Draw interactions per month or day."""
    periods = list(shapes.events)
    with drawing("events") as plot:
        counts = list(shapes.events.values())
        plot.axes.margins(x=0)
        plot.axes.fill_between(range(len(periods)), counts, step="mid", color=COLOUR, linewidth=0)
        places = _spread(len(periods))
        plot.axes.set_xticks(places, [periods[place] for place in places])
        _count_axes(plot.axes, "", f"interactions per {shapes.period}")
    return plot.svg


def stars_plot(shapes: Shapes) -> str:
    """Draw interactions per number of stars."""
    with drawing("stars") as plot:
        plot.axes.bar(list(shapes.stars), list(shapes.stars.values()), color=COLOUR)
        _count_axes(plot.axes, "stars", "interactions")
    return plot.svg


def lengths_plot(shapes: Shapes) -> str:
    """Draw users per sequence length."""
    with drawing("lengths") as plot:
        plot.axes.bar(list(shapes.lengths), list(shapes.lengths.values()), width=0.9, color=COLOUR)
        longest = f", {LONGEST} stands for {LONGEST} or more" if LONGEST in shapes.lengths else ""
        _count_axes(plot.axes, f"events in the sequence{longest}", "users")
        plot.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return plot.svg


def rounds_plot(rounds: Sequence[Round]) -> str:
    """Draw what each round of the k-core filter left, in percent of its input."""
    with drawing("rounds") as plot:
        for place, name in enumerate(("users", "items", "interactions")):
            left = [100 * getattr(one, name) / max(getattr(rounds[0], name), 1) for one in rounds]
            look = series(place)
            plot.axes.plot(left, color=look.colour, marker=look.marker, markersize=4, label=name)
        plot.axes.set_ylim(bottom=0)
        curve_axes(plot.axes, "round", "percent left")
    return plot.svg


def _count_axes(axes: Any, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(COUNTS)
    axes.set_ylim(bottom=0)


def _spread(count: int) -> list[int]:
    return sorted({round(step * (count - 1) / (TICKS - 1)) for step in range(TICKS)}) if count else []
