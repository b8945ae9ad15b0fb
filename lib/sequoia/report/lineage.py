"""From the scores back to the raw files: each step names what the one before it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sequoia.report.diary import Line, written_lines
from sequoia.report.origin import Origin, ScoredFrom, model_origin, scored_from
from sequoia.stage import Context


@dataclass(frozen=True, kw_only=True)
class Step:
    """One link of the chain: a heading, and facts as (what, value)."""

    title: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """A raw file as ingest saw it."""

    source: str
    format: str
    bytes: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The chain, newest link first, and the raw files at its end (the largest 100)."""

    steps: list[Step]
    files: list[RawFile] = field(default_factory=list)
    more_files: int = 0


SHOWN_FILES = 100
NOTHING_SCORED = Step(
    title="Recommendations", facts=[("Table", "none: no champion yet, the promotion above says why")]
)


def trace(context: Context, recommended: Line) -> Lineage:
    """Follow the recommendations, as their stage last wrote them, back to the raw files."""
    written = written_lines(context)
    if recommended.says("model")["version"] is None:
        files, more = _raw_files(context, None)
        return Lineage(steps=[NOTHING_SCORED], files=files, more_files=more)
    scored = scored_from(context)
    origin = model_origin(context, scored.version)
    ingested = producer(written, "interactions", interactions_of(written, origin))
    files, more = _raw_files(context, ingested)
    return Lineage(steps=chain(scored, origin, written), files=files, more_files=more)


def producer(written: Sequence[Line], table: str, version: int | None) -> Line | None:
    """Return the line of the stage that wrote this version of a table; None when the diary does not know."""
    return next((line for line in written if version is not None and line.writes.get(table) == version), None)


def interactions_of(written: Sequence[Line], origin: Origin) -> int | None:
    """Return the version of interactions that the training rows were made from."""
    line = producer(written, "training", origin.training_version)
    return line.reads.get("interactions") if line else None


def chain(scored: ScoredFrom, origin: Origin, written: Sequence[Line]) -> list[Step]:
    """Return the links from the recommendations to the interactions."""
    made = producer(written, "training", origin.training_version)
    interactions = interactions_of(written, origin)
    ingested = producer(written, "interactions", interactions)
    return [
        Step(
            title="Recommendations",
            facts=[
                ("Table", f"recommendations, version {scored.table_version}"),
                ("Rows", f"{scored.rows:,}"),
                ("Histories from", f"interactions, version {scored.interactions_version}"),
                ("Written by run", scored.run_id),
            ],
        ),
        Step(
            title="Registered model",
            facts=[
                ("Version", f"{scored.version} of {scored.registered_model}"),
                ("Kind", origin.kind),
                ("Fingerprint of settings and data", origin.fingerprint),
            ],
        ),
        Step(title="MLflow run", facts=[("Run", origin.mlflow_run), ("Store", origin.store)]),
        Step(
            title="Training rows",
            facts=[
                ("Table", _versioned("training", origin.training_version)),
                ("Fingerprint of its file list", origin.training_files),
                ("Rows", origin.training_rows),
            ],
        ),
        Step(title="Sequences", facts=_sequences(made)),
        Step(
            title="Interactions",
            facts=[("Table", _versioned("interactions", interactions)), *_written_by(ingested)],
        ),
    ]


def _sequences(made: Line | None) -> list[tuple[str, str]]:
    if made is None:
        return [("Table", "not in the diary")]
    tables = [("Table", _versioned("sequences", made.writes.get("sequences")))]
    indexes = ("item_index", "user_index")
    ids = ", ".join(_versioned(table, made.reads[table]) for table in indexes if table in made.reads)
    return [*tables, *([("Ids from", ids)] if ids else []), *_written_by(made)]


def _written_by(line: Line | None) -> list[tuple[str, str]]:
    if line is None:
        return [("Written by run", "not in the diary")]
    return [("Written by run", f"{line.run_id}, {line.finished:%Y-%m-%d %H:%M} UTC")]


def _versioned(table: str, version: int | None) -> str:
    return f"{table}, version {'unknown' if version is None else version}"


def _raw_files(context: Context, ingested: Line | None) -> tuple[list[RawFile], int]:
    """Read the accounts that ingest wrote together with the interactions, or the newest ones."""
    version = ingested.writes.get("files") if ingested else None
    files = context.tables.read("files", version=version)
    rows = files.orderBy("bytes", ascending=False).limit(SHOWN_FILES).collect()
    found = [RawFile(**{key: row[key] for key in RawFile.__dataclass_fields__}) for row in rows]
    return found, files.count() - len(found) if len(found) == SHOWN_FILES else 0
