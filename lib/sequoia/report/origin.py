"""What the recommendations and the registry say about where scores come from."""

from __future__ import annotations

from dataclasses import dataclass

from sequoia.errors import UserError
from sequoia.stage import Context
from sequoia.tracking.connection import connect
from sequoia.tracking.registry import KIND, Version, find_version

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class ScoredFrom:
    """What every row of the recommendations says of its origin."""

    table_version: int
    rows: int
    registered_model: str
    version: str
    interactions_version: int
    run_id: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What the registry and the MLflow run say of a registered version."""

    kind: str
    fingerprint: str
    mlflow_run: str
    store: str
    training_version: int | None
    training_files: str
    training_rows: str


def scored_from(context: Context) -> ScoredFrom:
    """Read the origin of the recommendations, the same in all rows as they are written at once."""
    keys = ["registered_model", "version", "interactions_version", "run_id"]
    table = context.tables.read("recommendations", written_by="recommend")
    rows = table.groupBy(*keys).count().limit(2).collect()
    if len(rows) != 1:
        found = "no rows" if not rows else "rows of several runs"
        raise UserError(f"recommendations has {found}: run `sequoia recommend` again")
    origin = {key: rows[0][key] for key in keys}
    return ScoredFrom(table_version=context.tables.reads["recommendations"], rows=rows[0]["count"], **origin)


def model_origin(context: Context, number: str) -> Origin:
    """Ask the registry and MLflow about a registered version."""
    connection = connect(context.config)
    version = find_version(connection, number)
    run_id = version.tags.get("training_run") if version else None
    tags = connection.client.get_run(run_id).data.tags if run_id else {}
    return described(version, connection.tracking_uri, tags)


def described(version: Version | None, store: str, tags: dict[str, str]) -> Origin:
    """Put tags of the version and of its run together; what they do not say is unknown."""
    training, rows = tags.get("sequoia.training_version"), tags.get("sequoia.training_rows")
    return Origin(
        kind=version.tags.get(KIND, UNKNOWN) if version else UNKNOWN,
        fingerprint=version.fingerprint if version else UNKNOWN,
        mlflow_run=version.tags.get("training_run", UNKNOWN) if version else UNKNOWN,
        store=store,
        training_version=int(training) if training else None,
        training_files=tags.get("sequoia.training_files", UNKNOWN),
        training_rows=f"{int(rows):,}" if rows else UNKNOWN,
    )
