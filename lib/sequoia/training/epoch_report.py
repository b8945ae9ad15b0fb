"""What the main process says after every epoch: a line in the terminal and metrics in MLflow."""

from __future__ import annotations

from typing import Any

from sequoia.tracking.runs import existing_run, metric_key
from sequoia.training.spec import TrainingSpec


def report(spec: TrainingSpec, note: dict[str, Any]) -> None:
    """Show and log one entry of Progress.history."""
    valid = ", ".join(f"{name} {value:.4f}" for name, value in note["valid"].items())
    speed = note["targets"] / max(note["seconds"], 1e-9)
    print(
        f"    {spec.kind} epoch {note['epoch'] + 1}/{spec.training.epochs}: loss {note['loss']:.4f}, "
        f"valid {valid}, {note['seconds']:.1f} s, {speed:,.0f} targets/s",
        flush=True,
    )
    metrics = {metric_key("valid", name): value for name, value in note["valid"].items()}
    numbers = {"train/loss": note["loss"], "train/targets_per_second": speed, **metrics}
    existing_run(spec.tracking, spec.tracking_run).log_metrics(numbers, step=note["epoch"])
