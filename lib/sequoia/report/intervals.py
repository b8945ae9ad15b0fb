"""Plots of metrics with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sequoia.report.summarise import ordered_models
from sequoia.report.svg import drawing, series
from sequoia.report.wording import model_label

Metrics = Mapping[str, Mapping[str, Mapping[str, float]]]

ROW = 0.31  # inches
REST = 0.95
APART = 0.2  # of a row, between models


def metrics_plot(name: str, metrics: Metrics, names: Sequence[str]) -> str:
    """Draw metrics with their intervals, one row for each, the models of a metric above one another."""
    models = ordered_models(metrics)
    with drawing(f"metrics-{name}", height=REST + ROW * len(names)) as plot:
        for place, model in enumerate(models):
            shift = APART * (place - (len(models) - 1) / 2)
            found = {
                row: metrics[model][metric] for row, metric in enumerate(names) if metric in metrics[model]
            }
            _model(plot.axes, place, model, {row + shift: one for row, one in found.items()})
        plot.axes.set_yticks(range(len(names)), names)
        plot.axes.set_ylim(len(names) - 0.5, -0.5)
        plot.axes.set_xlim(left=0)
        plot.axes.grid(visible=False, axis="y")
        plot.axes.set_xlabel("mean over test users")
        plot.figure.legend(loc="outside upper left", ncols=len(models), handletextpad=0.3)
    return plot.svg


def _model(axes: Any, place: int, model: str, rows: Mapping[float, Mapping[str, float]]) -> None:
    look = series(place)
    axes.errorbar(
        [one["value"] for one in rows.values()],
        list(rows),
        xerr=[
            [one["value"] - one["low"] for one in rows.values()],
            [one["high"] - one["value"] for one in rows.values()],
        ],
        linestyle="none",
        color=look.colour,
        marker=look.marker,
        markersize=4,
        linewidth=1.4,
        label=model_label(model),
    )
