"""What is said after every epoch and every few seconds of one: a line in the terminal and metrics in MLflow.

It happens in the launching process: the training processes need no MLflow, and do not wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from sequoia.road.stage import Context
from sequoia.tracking.runs import Run, metric_key

EFFORT_METRICS = ("parameters", "flops_per_target", "utilisation")
STEP_METRICS = ("loss", "rate", "targets_per_second", "input_wait", "memory_gib")


@contextmanager
def progress_bar(context: Context) -> Iterator[tqdm]:
    """Show a bar in a terminal; elsewhere, and in a log of JSON, one that is not seen."""
    hidden = context.config.logging.format != "text" or not sys.stderr.isatty()
    with tqdm(disable=hidden, unit="step", leave=False, file=sys.stderr) as bar:
        yield bar


def report(context: Context, kind: str, run: Run, note: dict[str, Any], bar: tqdm) -> None:
    """Show and log a note: an entry of Progress.history, what a target costs, or how an epoch goes."""
    if not bar.disable:
        bar.clear()
    if "valid" in note:
        _report_epoch(context, kind, run, note)
    elif "utilisation" in note:
        _report_effort(context, kind, run, note)
    else:
        _report_step(context, kind, run, note, bar)


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


def _report_effort(context: Context, kind: str, run: Run, note: dict[str, Any]) -> None:
    context.say(
        f"{kind} has {note['parameters']:,} parameters, a target takes {note['flops_per_target'] / 1e6:,.1f} "
        f"million operations: {100 * note['utilisation']:.0f} % of the machine's rate in square products"
    )
    run.log_metrics({f"train/{name}": note[name] for name in EFFORT_METRICS})


def _report_step(context: Context, kind: str, run: Run, note: dict[str, Any], bar: tqdm) -> None:
    epoch = f"{kind} epoch {note['epoch'] + 1}/{context.config.training.epochs}"
    figures = f"loss {note['loss']:.4f}, {note['targets_per_second']:,.0f} targets/s"
    if bar.disable:
        waits = f"{100 * note['input_wait']:.1f} % waiting for input"
        context.say(f"{epoch}, step {note['step']}/{note['steps']}: {figures}, {waits}")
    else:
        bar.total, bar.n = note["steps"], note["step"]
        bar.set_description(epoch, refresh=False)
        bar.set_postfix_str(figures)
    step = note["epoch"] * note["steps"] + note["step"]
    run.log_metrics({f"step/{name}": note[name] for name in STEP_METRICS}, step=step)
