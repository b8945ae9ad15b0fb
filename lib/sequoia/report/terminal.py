"""The summary in the terminal: what came in, what came out, how good it is, and where it lies."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sequoia.report.diary import Line, latest_lines, outdated, require_road
from sequoia.report.summarise import ordered_models, result_paths, summarise, write_summary
from sequoia.report.summary import Summary
from sequoia.report.text_table import WIDTH, shorten, text_table
from sequoia.report.wording import interval_text, model_label, protocol_title
from sequoia.road.stage import Context
from sequoia.secrets import redact_values

SHOWN_FILES = 20
SHOWN_METRICS = ("hr@1", "hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr@10", "coverage@10")
SAMPLED_METRICS = ("hr@10", "ndcg@10", "mrr@10")


def show_summary(context: Context) -> None:
    """Print the summary, and complete summary.json, which the report stage wrote before its own end."""
    lines = latest_lines(context)
    require_road(lines)
    summary = summarise(lines, result_paths(context.config))
    write_summary(context.config.workspace_path, summary)
    print(_encodable(redact_values(render_summary(summary, lines))), flush=True)


def render_summary(summary: Summary, lines: Mapping[str, Line]) -> str:
    """Return the text, at most 100 columns wide (paths apart)."""
    parts: list[Callable[[Summary, Mapping[str, Line]], list[str]]] = [
        _files,
        _counts,
        _metrics,
        _model,
        _places,
        _stages,
        _shoppers,
    ]
    return "\n".join(["", *(line for part in parts for line in [*part(summary, lines), ""])])


def _encodable(text: str) -> str:
    """Replace what the terminal's encoding lacks: a title must not end a run of an hour."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _files(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    files = summary.ingest.files
    header = ["Raw file", "rows in", "kept", "quarantined", "duplicate"]
    numbers = [(file.name, file.lines, file.kept, file.quarantined, file.duplicates) for file in files]
    rows = [[name, *(f"{count:,}" for count in counts)] for name, *counts in numbers[:SHOWN_FILES]]
    if len(files) > SHOWN_FILES:
        left = [sum(column) for column in zip(*[counts for _, *counts in numbers[SHOWN_FILES:]], strict=True)]
        rows.append([f"{len(files) - SHOWN_FILES} more files", *(f"{count:,}" for count in left)])
    return text_table(header, rows)


def _counts(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    ingest, core = summary.ingest, summary.kcore
    rows = [
        ["all interactions", *(f"{count:,}" for count in (ingest.users, ingest.items, ingest.interactions))],
        [
            f"{core.k}-core after {core.rounds} round{'s' * (core.rounds != 1)}",
            *(f"{count:,}" for count in (core.users, core.items, core.interactions)),
        ],
    ]
    return [
        *text_table(["Data", "users", "items", "interactions"], rows),
        f"{summary.sequences.rows:,} sequences",
    ]


def _metrics(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    evaluated = lines["evaluate"].details
    heading = f"Full ranking, {evaluated.get('users', 0):,} test users"
    shown = _metric_table(heading, lines["evaluate"].says("metrics"), SHOWN_METRICS)
    for protocol, models in evaluated.get("sampled", {}).items():
        heading = f"{protocol_title(protocol)} (not comparable with full ranking)"
        shown += ["", *_metric_table(heading, models, SAMPLED_METRICS)]
    return shown


def _metric_table(title: str, models: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    order = ordered_models(models)
    rows = [
        [name, *(interval_text(models[model].get(name)) for model in order)]
        for name in names
        if any(name in models[model] for model in order)
    ]
    return [title, *text_table(["Metric", *(model_label(model) for model in order)], rows)]


def _model(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    model, decision = summary.model, lines["promote"].details
    version = f"version {model.version}" if model.version else "no version"
    shown = [f"Model {model.name}: {version} has the alias {model.alias}"]
    shown.append(f"Promotion: {decision.get('challenger', 'no model')} {decision.get('action', 'undecided')}")
    for reason in decision.get("reasons", []):
        shown += textwrap.wrap(reason, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return shown


def _places(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    paths = summary.paths
    return [f"Tables  {paths.warehouse}", f"MLflow  {paths.mlflow}", f"Report  {paths.report}"]


def _stages(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    rows = [
        [stage.name, f"{stage.rows_in:,}", f"{stage.rows_out:,}", f"{stage.seconds:.1f}"]
        for stage in summary.stages
    ]
    total = sum(stage.seconds for stage in summary.stages)
    rows.append(["total", "", "", f"{total:.1f}"])
    shown = text_table(["Stage", "rows in", "rows out", "seconds"], rows)
    late = outdated(lines)
    note = f"Not run again since a stage before them was: {', '.join(late)}"
    return shown + (textwrap.wrap(note, WIDTH) if late else [])


def _shoppers(summary: Summary, lines: Mapping[str, Line]) -> list[str]:
    shown: list[str] = []
    for sample in lines["recommend"].details.get("samples", []):
        shown.append(f"Shopper {shorten(sample['user'], WIDTH - 8)}")
        shown += [f"   had  {shorten(title, WIDTH - 8)}" for title in sample["history"]]
        for place, entry in enumerate(sample["recommended"], start=1):
            shown.append(f"  {place:4}  {shorten(entry['title'] or entry['item'], WIDTH - 8)}")
    return shown
