"""The road: every stage by name, in order. Each is imported when it runs."""

from __future__ import annotations

from importlib import import_module

from sequoia.stage import Context, Stage, StageResult, run_stage

ROAD = {
    "ingest": "Read raw files into interactions and items; account for every line.",
    "index": "Give users, items, categories and brands dense ids that stay.",
    "sequences": "Filter to the k-core, order, split, and write sequences, sessions and training rows.",
    "negatives": "Draw the candidate sets for sampled metrics.",
    "train": "Train the models on a pinned snapshot and log them to MLflow.",
    "evaluate": "Rank all items for every held-out event; metrics with intervals.",
    "promote": "Register the best model and move the alias if the gate passes.",
    "recommend": "Write the top items of every user from the champion.",
    "report": "Write summary.json and the HTML report.",
}

PACKAGES = {"train": "training"}


def load_stage(name: str) -> Stage:
    """Return the stage of that name (a key of ROAD)."""
    module = import_module(f"sequoia.{PACKAGES.get(name, name)}.stage")
    return Stage(name=name, help=ROAD[name], run=module.run)


def run_named(name: str, context: Context) -> StageResult:
    """Run the stage of that name."""
    return run_stage(load_stage(name), context)
