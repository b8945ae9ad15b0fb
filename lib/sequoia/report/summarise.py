"""From the diary to the summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sequoia.config import Config
from sequoia.local_files import replace_text
from sequoia.promote.evidence import CHAMPION
from sequoia.promote.rules import BASELINE
from sequoia.report.diary import Line
from sequoia.report.summary import FileSummary, PathsSummary, Summary
from sequoia.secrets import redact, redact_values
from sequoia.storage import Location, uri

SUMMARY = "summary.json"
PAGE = "report.html"


def summarise(lines: Mapping[str, Line], paths: PathsSummary) -> Summary:
    """Put together what the stages said of themselves; raises UserError when one said too little."""
    ingest, sequences = lines["ingest"], lines["sequences"]
    stages = [
        {"name": name, "seconds": round(line.seconds, 3), "rows_in": line.rows_in, "rows_out": line.rows_out}
        for name, line in lines.items()
    ]
    values = {
        "stages": stages,
        "ingest": {
            "files": [{key: file[key] for key in FileSummary.model_fields} for file in ingest.says("files")],
            **lines["index"].says("active"),
            "interactions": ingest.says("interactions"),
        },
        "kcore": sequences.says("kcore"),
        "sequences": {"rows": sequences.says("sequences")},
        "metrics": lines["evaluate"].says("metrics"),
        "model": current_model(lines),
        "recommendations": lines["recommend"].says("recommendations"),
        "paths": paths,
    }
    return Summary.model_validate(values)


def current_model(lines: Mapping[str, Line]) -> dict[str, Any]:
    """Return name, version and alias of the model in use, as the stage knows that looked last."""
    newest = max((lines["promote"], lines["recommend"]), key=lambda line: line.finished)
    model: dict[str, Any] = newest.says("model")
    return model


def result_paths(config: Config) -> PathsSummary:
    """Return where the configured run keeps its results."""
    workspace, store = config.workspace_path, config.tracking.uri
    return PathsSummary(
        warehouse=config.tables.namespace or uri(workspace / "warehouse"),
        mlflow=uri(workspace / "mlflow.db") if store is None else redact(store),
        report=uri(workspace / PAGE),
    )


def write_summary(workspace: Location, summary: Summary) -> None:
    """Replace summary.json in one step, secrets hidden."""
    hidden = redact_values(summary.model_dump(mode="json"))
    replace_text(workspace / SUMMARY, json.dumps(hidden, indent=2, ensure_ascii=False) + "\n")


def ordered_models(models: Iterable[str]) -> list[str]:
    """Return the counting baseline first and the champion of before last."""
    return sorted(models, key=lambda name: (name != BASELINE, name == CHAMPION, name))
