"""What is said after every epoch: a line in the terminal and metrics in MLflow.

It happens in the launching process: the training processes need no MLflow, and do not wait for it.
"""

from __future__ import annotations

from typing import Any

from sequoia.road.stage import Context
from sequoia.tracking.runs import Run, metric_key


def report(context: Context, kind: str, run: Run, note: dict[str, Any]) -> None:
    """Show and log one entry of Progress.history."""
    valid = ", ".join(f"{name} {value:.4f}" for name, value in note["valid"].items())
    speed = note["targets"] / max(note["seconds"], 1e-9)
    context.say(
        f"{kind} epoch {note['epoch'] + 1}/{context.config.training.epochs}: loss {note['loss']:.4f}, "
        f"valid {valid}, {note['seconds']:.1f} s, {speed:,.0f} targets/s"
    )
    metrics = {metric_key("valid", name): value for name, value in note["valid"].items()}
    run.log_metrics(
        {"train/loss": note["loss"], "train/targets_per_second": speed, **metrics}, step=note["epoch"]
    )
