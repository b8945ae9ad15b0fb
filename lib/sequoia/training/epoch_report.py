"""What is said after every epoch and every few seconds of one: a line in the terminal and metrics in MLflow.

It happens in the launching process: the training processes need no MLflow, and do not wait for it.
"""

from __future__ import annotations

from typing import Any

from sequoia.road.stage import Context
from sequoia.tracking.runs import Run, metric_key

STEP_METRICS = ("loss", "rate", "targets_per_second", "input_wait", "memory_gib")


def report(context: Context, kind: str, run: Run, note: dict[str, Any]) -> None:
    """Show and log a note: an entry of Progress.history, or how an epoch goes."""
    if "valid" in note:
        _report_epoch(context, kind, run, note)
    else:
        _report_step(context, kind, run, note)


def _report_epoch(context: Context, kind: str, run: Run, note: dict[str, Any]) -> None:
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


def _report_step(context: Context, kind: str, run: Run, note: dict[str, Any]) -> None:
    context.say(
        f"{kind} epoch {note['epoch'] + 1}/{context.config.training.epochs}, "
        f"step {note['step']}/{note['steps']}: loss {note['loss']:.4f}, "
        f"{note['targets_per_second']:,.0f} targets/s, {100 * note['input_wait']:.1f} % waiting for input"
    )
    step = note["epoch"] * note["steps"] + note["step"]
    run.log_metrics({f"step/{name}": note[name] for name in STEP_METRICS}, step=step)
