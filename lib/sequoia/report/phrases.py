"""What the page says in words and small tables, made from the diary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sequoia.config import Config
from sequoia.ingest.settings import GENERATED
from sequoia.report.figures import validation_metric
from sequoia.report.summarise import ordered_models
from sequoia.report.summary import Summary
from sequoia.report.wording import interval_text, model_label


def title(config: Config) -> str:
    """Return what the report is about."""
    if config.ingest.raw == GENERATED:
        return "Generated reviews: " + ", ".join(config.synthetic.categories).replace("_", " ")
    return (config.ingest.category or config.ingest.raw or "reviews").replace("_", " ")


def verdict(summary: Summary, promotion: Mapping[str, Any], metric: str) -> str:
    """Return the outcome in a sentence: who is in use, and how good the models are."""
    found = [
        f"{model_label(name)} {interval_text(summary.metrics[name][metric].model_dump())}"
        for name in ordered_models(summary.metrics)
        if metric in summary.metrics[name]
    ]
    model, version = summary.model, summary.model.version
    served = f"Version {version} of {model.name}" if version else "No version"
    decision = f"{promotion.get('challenger')} {promotion.get('action')}"
    return f"{served} is {model.alias} ({decision}). Test {metric}: {', '.join(found)}."


def headline(summary: Summary) -> list[tuple[str, str]]:
    """Return the numbers at the top of the page."""
    ingest = summary.ingest
    return [
        ("interactions", f"{ingest.interactions:,}"),
        ("users", f"{ingest.users:,}"),
        ("items", f"{ingest.items:,}"),
        (f"users in the {summary.kcore.k}-core", f"{summary.kcore.users:,}"),
        (f"items in the {summary.kcore.k}-core", f"{summary.kcore.items:,}"),
        ("users with recommendations", f"{summary.recommendations.users:,}"),
    ]


def trained_models(models: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each trained model: epochs, the best one with its metric, seconds, run."""
    metric = validation_metric(models)
    rows = []
    for name in ordered_models(models):
        notes, best = models[name]["history"], models[name]["best_epoch"]
        chosen = next((note for note in notes if note["epoch"] == best), None)
        rows.append(
            {
                "name": name,
                "epochs": len(notes),
                "best_epoch": best + 1,
                "best": chosen["valid"].get(metric) if chosen else None,
                "seconds": sum(note["seconds"] for note in notes),
                "run": models[name]["mlflow_run_id"],
            }
        )
    return rows


def training_note(train: Mapping[str, Any]) -> str:
    """Return what was trained on, and how."""
    pinned, processes = train.get("snapshot"), train.get("processes", 1)
    table = (
        f" on {pinned['table']}, version {pinned['version']} (data {pinned['fingerprint']}),"
        if pinned
        else ""
    )
    return (
        f"Trained{table} with launcher {train.get('launcher')}, {processes} process{'es' * (processes != 1)}."
    )
