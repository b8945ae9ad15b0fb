"""From the scores back to the raw files: each step names what the one before it was made from.

Whatever was dropped, vacuumed or deleted since is a step that says so, with what the diary knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sequoia.report.diary import Line, details_of, newest_line, producer, written_lines
from sequoia.report.gone import Reader
from sequoia.report.origin import UNKNOWN, Origin, ScoredFrom, model_origin, scored_from
from sequoia.report.wording import moment_text
from sequoia.road.stage import Context


@dataclass(frozen=True, kw_only=True)
class Step:
    """One link of the chain: a heading, facts as (what, value), and why it cannot be looked up any more."""

    title: str
    facts: list[tuple[str, str]]
    gone: str = ""


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """A raw file as ingest saw it; size and checksum are None in an old diary, which lacks them."""

    source: str
    format: str
    bytes: int | None
    fingerprint: str | None


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
    scored = scored_from(context, recommended, written)
    origin = model_origin(context, scored.version)
    made = producer(written, "training", origin.training_version)
    interactions = interactions_of(written, origin)
    reader = Reader()
    sequences = made.writes.get("sequences") if made else None
    pinned = {"training": origin.training_version, "sequences": sequences, "interactions": interactions}
    reader.touch(context, pinned)
    files, more = _raw_files(context, producer(written, "interactions", interactions))
    return Lineage(steps=chain(scored, origin, written, reader.gone), files=files, more_files=more)


def interactions_of(written: Sequence[Line], origin: Origin) -> int | None:
    """Return the version of interactions that the training rows were made from."""
    line = producer(written, "training", origin.training_version)
    return line.reads.get("interactions") if line else None


def chain(
    scored: ScoredFrom, origin: Origin, written: Sequence[Line], gone: Mapping[str, str] | None = None
) -> list[Step]:
    """Return the links from the recommendations to the interactions; `gone`: tables whose version is lost."""
    lost = gone or {}
    made = producer(written, "training", origin.training_version)
    interactions = interactions_of(written, origin)
    ingested = producer(written, "interactions", interactions)
    return [
        Step(
            title="Recommendations",
            facts=[
                ("Table", _versioned("recommendations", scored.table_version)),
                ("Rows", f"{scored.rows:,}"),
                ("Histories from", _versioned("interactions", scored.interactions_version)),
                ("Written by run", f"{scored.run_id}, {moment_text(scored.recommended)} UTC"),
            ],
            gone=scored.gone,
        ),
        Step(
            title="Registered model",
            facts=[
                ("Version", f"{scored.version} of {scored.registered_model}"),
                ("Kind", origin.kind),
                ("Fingerprint of settings and data", origin.fingerprint),
            ],
            gone=origin.version_gone,
        ),
        Step(
            title="MLflow run",
            facts=[("Run", origin.mlflow_run), ("Store", origin.store)],
            gone=origin.run_gone,
        ),
        Step(
            title="Training rows",
            facts=[
                ("Table", _versioned("training", origin.training_version)),
                ("Fingerprint of the data", origin.training_data),
                ("Rows", origin.training_rows),
            ],
            gone=lost.get("training", ""),
        ),
        Step(title="Sequences", facts=_sequences(made), gone=lost.get("sequences", "")),
        Step(
            title="Interactions",
            facts=[("Table", _versioned("interactions", interactions)), *_written_by(ingested)],
            gone=lost.get("interactions", ""),
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
    return [("Written by run", f"{line.run_id}, {moment_text(line.finished)} UTC")]


def _versioned(table: str, version: int | None) -> str:
    return f"{table}, version {'unknown' if version is None else version}"


def _raw_files(context: Context, ingested: Line | None) -> tuple[list[RawFile], int]:
    """Return the files that an ingest, or else the newest one, accounted for.

    From the diary, as its own table may be vacuumed by now.
    """
    newest = newest_line(context, "ingest") if ingested is None else None
    details = details_of(context, ingested) if ingested else newest.details if newest else {}
    told = details.get("files", [])
    found = [
        RawFile(
            source=file["name"],
            format=file.get("format", UNKNOWN),
            bytes=file.get("bytes"),
            fingerprint=file.get("fingerprint"),
        )
        for file in told
    ]
    found.sort(key=lambda file: -(file.bytes or 0))
    return found[:SHOWN_FILES], max(len(found) - SHOWN_FILES, 0)
