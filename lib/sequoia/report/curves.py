"""Plots of training: loss and validation by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

from sequoia.report.summarise import ordered_models
from sequoia.report.svg import INK, drawing, series
from sequoia.report.wording import model_label

Histories = Mapping[str, Sequence[Mapping[str, Any]]]


def loss_plot(histories: Histories) -> str:
    """Draw the training loss per epoch of every model that has more than one."""
    with drawing("loss") as plot:
        for place, model in enumerate(ordered_models(histories)):
            notes = histories[model]
            if len(notes) > 1:
                _curve(plot.axes, place, model, notes, [note["loss"] for note in notes])
        curve_axes(plot.axes, "epoch", "mean loss per target, nats")
    return plot.svg


def validation_plot(histories: Histories, metric: str) -> str:
    """Draw the validation metric per epoch; a model fitted in one step is a level line."""
    with drawing("validation") as plot:
        for place, model in enumerate(ordered_models(histories)):
            notes = histories[model]
            values = [note["valid"][metric] for note in notes]
            if len(notes) > 1:
                _curve(plot.axes, place, model, notes, values)
            else:
                plot.axes.axhline(
                    values[0], color=series(place).colour, linestyle="--", label=model_label(model)
                )
        curve_axes(plot.axes, "epoch", f"{metric} on validation users")
    return plot.svg


def curve_axes(axes: Any, x: str, y: str) -> None:
    """Label the axes, with whole numbers below and a legend."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(labelcolor=INK)


def _curve(
    axes: Any, place: int, model: str, notes: Sequence[Mapping[str, Any]], values: Sequence[float]
) -> None:
    epochs = [note["epoch"] + 1 for note in notes]
    look = series(place)
    axes.plot(epochs, values, color=look.colour, marker=look.marker, markersize=3.5, label=model_label(model))
