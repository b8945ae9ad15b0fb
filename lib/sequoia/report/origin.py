"""What the recommendations, the registry and MLflow say about where scores come from; else the diary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.errors import UserError
from sequoia.report.diary import Line, producer, train_lines
from sequoia.report.gone import Reader
from sequoia.road.stage import Context
from sequoia.secrets import redact
from sequoia.tables.parts import Part, read_columns
from sequoia.tracking.connection import connect
from sequoia.tracking.registry import KIND, TRAINING_RUN, Version, find_version
from sequoia.tracking.runs import RunTags, find_run_tags

UNKNOWN = "unknown"
ORIGIN = ("registered_model", "version", "interactions_version", "run_id", "recommended")
DELETED_VERSION = "gone: the registry has no such version any more"
DELETED_RUN = "gone: the run was deleted in MLflow"


@dataclass(frozen=True, kw_only=True)
class ScoredFrom:
    """What every row of the recommendations says of its origin; `gone` says why it is told by the diary."""

    table_version: int | None
    rows: int
    registered_model: str
    version: str
    interactions_version: int | None
    run_id: str
    recommended: datetime
    gone: str = ""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is known of a registered version and its MLflow run; `gone` texts say what cannot be looked up."""

    kind: str
    fingerprint: str
    mlflow_run: str
    store: str
    training_version: int | None
    training_data: str
    training_rows: str
    version_gone: str = ""
    run_gone: str = ""


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What the diary of the train stage says of a model."""

    kind: str
    fingerprint: str
    mlflow_run: str
    training_version: int
    training_data: str
    training_rows: int


def scored_from(context: Context, line: Line, written: Sequence[Line]) -> ScoredFrom:
    """Read the origin of the recommendations, the same in all rows as they are written at once.

    `line` is the diary's line of the recommend stage, which tells it when the table is gone; the stage may
    have found the rows `written` by a run before.
    """
    reader = Reader()
    found = reader.read("recommendations", lambda: _scored_from_table(context))
    return found or remembered_scores(line, written, reader.gone["recommendations"])


def remembered_scores(line: Line, written: Sequence[Line], gone: str) -> ScoredFrom:
    """Return what the diary knows of recommendations that cannot be read."""
    model = line.says("model")
    version = (line.reads | line.writes).get("recommendations")
    wrote = producer(written, "recommendations", version) or line
    return ScoredFrom(
        table_version=version,
        rows=line.rows_out,
        registered_model=model["name"],
        version=model["version"],
        interactions_version=line.reads.get("interactions"),
        run_id=wrote.run_id,
        recommended=wrote.finished,
        gone=gone,
    )


def _scored_from_table(context: Context) -> ScoredFrom:
    files = context.tables.files("recommendations", written_by="recommend")
    reports = map_tasks(context.spark, files, _origins_in)
    origins = {tuple(origin) for report in reports for origin in report["origins"]}
    if len(origins) != 1:
        found = "no rows" if not origins else "rows of several runs"
        raise UserError(f"recommendations has {found}: run `sequoia recommend` again")
    told = dict(zip(ORIGIN, origins.pop(), strict=True))
    return ScoredFrom(
        table_version=context.tables.reads["recommendations"],
        rows=sum(report["rows"] for report in reports),
        **told | {"recommended": datetime.fromisoformat(told["recommended"])},
    )


def _origins_in(part: Part) -> Report:
    """Report the rows of a file, and the first two of the origins that they tell of."""
    rows = read_columns(part.path, list(ORIGIN))
    origins = rows.group_by(list(ORIGIN)).aggregate([]).slice(0, 2).to_pylist()
    times = [one["recommended"].replace(tzinfo=one["recommended"].tzinfo or UTC) for one in origins]
    told = [
        [*(one[name] for name in ORIGIN[:-1]), time.astimezone(UTC).isoformat()]
        for one, time in zip(origins, times, strict=True)
    ]
    return {"rows": len(rows), "origins": told}


def model_origin(context: Context, number: str) -> Origin:
    """Ask the registry and MLflow about a registered version, and the diary about what they lost."""
    connection = connect(context.config)
    version = find_version(connection, number)
    lines = train_lines(context)
    remembered = (
        remembered_training(lines, version.fingerprint) if version else _trained_for(context, lines, number)
    )
    run_id = version.tags.get(TRAINING_RUN) if version else None
    run_id = run_id or (remembered.mlflow_run if remembered else None)
    tags = find_run_tags(connection, run_id) if run_id else None
    return described(version, redact(connection.tracking_uri), tags, remembered)


def remembered_training(
    lines: list[Line], fingerprint: str | None = None, kind: str | None = None
) -> Remembered | None:
    """Return the newest training of this fingerprint, or else of this kind, that the diary knows."""
    for line in lines:
        snapshot, models = line.details.get("snapshot", {}), line.details.get("models", {})
        for name, model in models.items():
            if name == kind if fingerprint is None else model["fingerprint"] == fingerprint:
                return Remembered(
                    kind=name,
                    fingerprint=model["fingerprint"],
                    mlflow_run=model["mlflow_run_id"],
                    training_version=snapshot["version"],
                    training_data=snapshot["fingerprint"],
                    training_rows=line.rows_in,
                )
    return None


def _trained_for(context: Context, lines: list[Line], number: str) -> Remembered | None:
    """Find what was trained last before a version, now gone, was promoted: promote asks for nothing else."""
    if not context.tables.exists("promotions"):
        return None
    columns = ["challenger", "decided"]
    promoted = [
        row
        for row in context.tables.rows("promotions", columns=columns, where={"version": [number]})
        if row["challenger"] is not None
    ]
    if not promoted:
        return None
    first = min(promoted, key=lambda row: row["decided"])
    before = [line for line in lines if line.finished <= first["decided"]]
    return remembered_training(before, kind=first["challenger"])


def described(
    version: Version | None,
    store: str,
    tags: RunTags | None,
    remembered: Remembered | None = None,
) -> Origin:
    """Put tags of the version and of its run together with the diary; what nobody says is unknown."""
    told: Mapping[str, Any] = vars(remembered) if remembered else {}
    run = tags.values if tags else {}
    training = run.get("sequoia.training_version") or told.get("training_version")
    rows = run.get("sequoia.training_rows") or told.get("training_rows")
    mlflow_run = (version.tags.get(TRAINING_RUN) if version else None) or told.get("mlflow_run") or UNKNOWN
    lost = (tags is None or tags.deleted) and mlflow_run != UNKNOWN
    return Origin(
        kind=(version.tags.get(KIND) if version else None) or told.get("kind") or UNKNOWN,
        fingerprint=version.fingerprint if version else told.get("fingerprint", UNKNOWN),
        mlflow_run=mlflow_run,
        store=store,
        training_version=int(training) if training is not None else None,
        training_data=run.get("sequoia.training_data") or told.get("training_data") or UNKNOWN,
        training_rows=f"{int(rows):,}" if rows is not None else UNKNOWN,
        version_gone="" if version else DELETED_VERSION,
        run_gone=DELETED_RUN if lost else "",
    )
