"""The HTML report: one page that holds everything it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jinja2

from sequoia.config import Config
from sequoia.report.decisions import PastDecision
from sequoia.report.diary import Line, outdated
from sequoia.report.figures import Figures, draw_figures, metric_names, validation_metric
from sequoia.report.lineage import Lineage
from sequoia.report.phrases import headline, title, trained_models, training_note, verdict
from sequoia.report.ran import PACKAGES, RanWith
from sequoia.report.shapes import Round, Shapes
from sequoia.report.summarise import ordered_models
from sequoia.report.summary import Summary
from sequoia.report.wording import bytes_text, model_label, moment_text, protocol_title, rule_outcome

SECTIONS = {
    "data": "Data",
    "core": "k-core and sequences",
    "training": "Training",
    "metrics": "Metrics",
    "promotion": "Promotion",
    "shoppers": "Sample shoppers",
    "lineage": "Lineage",
    "stages": "Stages",
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that the page shows; gone: tables that could not be read, and why."""

    summary: Summary
    lines: Mapping[str, Line]
    shapes: Shapes
    rounds: Sequence[Round]
    decisions: Sequence[PastDecision]
    lineage: Lineage
    gone: Mapping[str, str] = field(default_factory=dict)
    ran: Sequence[RanWith] = ()


def render_page(config: Config, evidence: Evidence) -> str:
    """Return the page as HTML; texts from the data are escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "bytes": bytes_text,
        "count": "{:,}".format,
        "moment": moment_text,
        "in_order": ordered_models,
        "model_label": model_label,
        "outcome": rule_outcome,
        "protocol_title": protocol_title,
    }
    template = environment.from_string(_shipped("page.html"))
    figures = draw_figures(evidence.lines, evidence.shapes, evidence.rounds)
    return template.render(_values(config, evidence, figures))


def _values(config: Config, evidence: Evidence, plots: Figures) -> dict[str, Any]:
    lines, summary = evidence.lines, evidence.summary
    sampled = lines["evaluate"].details.get("sampled", {})
    return {
        "css": _shipped("page.css"),
        "title": title(config),
        "written": datetime.now(UTC),
        "workspace": config.workspace,
        "verdict": verdict(summary, lines["promote"].details, config.promote.metric),
        "outdated": outdated(lines),
        "facts": headline(summary),
        "sections": SECTIONS.items(),
        "plots": plots,
        "training_note": training_note(lines["train"].details),
        "trained": trained_models(lines["train"].says("models")),
        "validation_metric": validation_metric(lines["train"].says("models")),
        "confidence": f"{100 * config.evaluate.confidence:g}",
        "candidates": lines["negatives"].details.get("candidates", "the"),
        "test_users": lines["evaluate"].details.get("users", 0),
        "metrics": lines["evaluate"].says("metrics"),
        "metric_names": metric_names(lines["evaluate"].says("metrics")),
        "sampled": sampled,
        "sampled_names": metric_names(next(iter(sampled.values()), {})),
        "promotion": lines["promote"].details,
        "reasons": lines["ingest"].details.get("reasons", {}),
        "samples": lines["recommend"].details.get("samples", []),
        "summary": summary,
        "shapes": evidence.shapes,
        "rounds": evidence.rounds,
        "decisions": evidence.decisions,
        "lineage": evidence.lineage,
        "ran": evidence.ran,
        "packages": PACKAGES,
        "gone": dict(sorted(evidence.gone.items())),
        "lines": list(lines.values()),
    }


def _shipped(name: str) -> str:
    return (files("sequoia.report") / name).read_text(encoding="utf-8")
