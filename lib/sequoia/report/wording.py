"""How numbers and names read in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sequoia.promote.evidence import CHAMPION
from sequoia.promote.rules import BASELINE

LABELS = {BASELINE: "counting (baseline)", CHAMPION: "champion before"}
PROTOCOLS = {
    "sampled-uniform": "Sampled ranking, uniform candidates",
    "sampled-popularity": "Sampled ranking, candidates by popularity",
}


def model_label(name: str) -> str:
    """Return what a reader should call a model of the evaluation."""
    return LABELS.get(name, name)


def protocol_title(protocol: str) -> str:
    """Return the heading of metrics that rank stored candidates only; it says so."""
    return PROTOCOLS.get(protocol, f"Sampled ranking ({protocol})")


def rule_outcome(reason: str) -> str:
    """Return passed, failed or noted: how the page marks one reason of a promotion."""
    for outcome in ("passed", "failed"):
        if f"{outcome}:" in reason:
            return outcome
    return "noted"


def interval_text(metric: Mapping[str, Any] | None) -> str:
    """Return a metric with its interval where it has one; a dash for none."""
    if metric is None:
        return "-"
    if metric["low"] is None or metric["high"] is None:
        return f"{metric['value']:.4f}"
    return f"{metric['value']:.4f} [{metric['low']:.4f}, {metric['high']:.4f}]"


def moment_text(moment: datetime) -> str:
    """Return a moment to the minute in UTC; Spark hands out times of this machine's zone, without a zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def bytes_text(size: int) -> str:
    """Return a size in kB, MB or GB."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size / 1000:,.1f} kB"
