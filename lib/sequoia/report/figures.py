"""All figures of the page, drawn from the diary and the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sequoia.report.curves import loss_plot, validation_plot
from sequoia.report.diary import Line
from sequoia.report.histograms import events_plot, lengths_plot, rounds_plot, stars_plot
from sequoia.report.intervals import metrics_plot
from sequoia.report.shapes import Round, Shapes
from sequoia.report.summarise import ordered_models

SAMPLED = ("hr@10", "ndcg@10", "mrr@10")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """SVG elements; empty texts where there is nothing to draw; sampled ones by protocol."""

    events: str
    stars: str
    lengths: str
    rounds: str
    loss: str
    validation: str
    full: str
    sampled: list[tuple[str, str]]


def draw_figures(lines: Mapping[str, Line], shapes: Shapes, rounds: Sequence[Round]) -> Figures:
    """Draw everything."""
    models = lines["train"].says("models")
    histories = {name: model["history"] for name, model in models.items() if model["history"]}
    full, sampled = lines["evaluate"].says("metrics"), lines["evaluate"].details.get("sampled", {})
    names = [name for name in metric_names(full) if has_intervals(full, name)]
    metric = validation_metric(models)
    curves = any(len(notes) > 1 for notes in histories.values())
    return Figures(
        events=events_plot(shapes),
        stars=stars_plot(shapes),
        lengths=lengths_plot(shapes),
        rounds=rounds_plot(rounds),
        loss=loss_plot(histories) if curves else "",
        validation=validation_plot(histories, metric) if curves and metric else "",
        full=metrics_plot("full", full, names),
        sampled=[(protocol, metrics_plot(protocol, found, SAMPLED)) for protocol, found in sampled.items()],
    )


def has_intervals(models: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    """Say whether a metric has an interval for every model that has it; coverage and the like have none."""
    found = [metrics[name] for metrics in models.values() if name in metrics]
    return all(one["low"] is not None and one["high"] is not None for one in found)


def metric_names(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the metrics of all models in the order the evaluation gives them."""
    return list(dict.fromkeys(name for model in ordered_models(models) for name in models[model]))


def validation_metric(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the metric that training watched, of those every model has; empty for none."""
    watched = [set(note["valid"]) for model in models.values() for note in model["history"]]
    common = set.intersection(*watched) if watched else set()
    return "ndcg@10" if "ndcg@10" in common else min(common, default="")
