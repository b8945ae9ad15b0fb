"""What a run would do: stages, input files, and rows and minutes after the last run. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sequoia.config import Config
from sequoia.ingest.files.find import RawFile, find_files
from sequoia.ingest.files.recognise import recognise
from sequoia.ingest.named_table import describe_table, find_table
from sequoia.ingest.settings import GENERATED, required_raw
from sequoia.provenance import code_version, settings_hash
from sequoia.report.text_table import text_table
from sequoia.report.wording import bytes_text, moment_text
from sequoia.road.diary import DONE
from sequoia.road.stage import Context

SHOWN_FILES = 20
NOT_READ = "not read: of no known format"


@dataclass(frozen=True, kw_only=True)
class Past:
    """The last run of a stage that did work, as the diary has it."""

    run_id: str
    finished: datetime
    seconds: float
    rows_in: int
    settings_hash: str


def describe(names: Sequence[str], config: Config) -> str:
    """Return what running these stages would mean, as text; raises the UserError that the input would."""
    context = Context(config)
    lines = [
        f"Would run {', '.join(names)}",
        f"Workspace {config.workspace}, code {code_version()}, settings {settings_hash(config)}",
        "",
    ]
    size = None
    if "ingest" in names:
        shown, size = describe_input(context)
        lines += [*shown, ""]
    past, past_size = history(context)
    growth = size / past_size if size and past_size else 1.0
    lines += estimates(names, past, growth, settings_hash(config))
    if abs(growth - 1) >= 0.01:
        lines.append(f"Scaled by the input's size, {growth:.2f} times that of the last run")
    return "\n".join([*lines, "Nothing was written"])


def describe_input(context: Context) -> tuple[list[str], int | None]:
    """Return what would be read, and the bytes of files; a generated corpus or a catalog's table has none."""
    config = context.config
    settings = config.ingest
    raw = required_raw(settings)
    if raw == GENERATED:
        corpus = config.synthetic
        return [
            f"Input: the generated corpus, {corpus.users:,} users in {', '.join(corpus.categories)}"
        ], None
    if table := find_table(context, raw):
        return [f"Input: {describe_table(context, table)}"], None
    files = find_files(raw, settings.category)
    forms = {file.source: _format(file, config) for file in files}
    read = [file for file in files if forms[file.source] != NOT_READ]
    rows = [[file.source or file.path, _size(file), forms[file.source]] for file in files]
    shown = text_table(["Input file", "size", "format"], rows[:SHOWN_FILES])
    if len(rows) > SHOWN_FILES:
        shown.append(f"and {len(rows) - SHOWN_FILES} more files")
    size = sum(file.bytes for file in read)
    return [*shown, f"{len(read)} files to read, {bytes_text(size)}"], size


def _size(file: RawFile) -> str:
    return "-" if file.kind == "delta" else bytes_text(file.bytes)  # what of the folder counts its log knows


def _format(file: RawFile, config: Config) -> str:
    if file.kind == "delta":
        return "events (Delta table)"
    return recognise(file, config.ingest) or NOT_READ


def history(context: Context) -> tuple[dict[str, Past], int]:
    """Return the last real run of each stage, and the bytes that the last ingest had read."""
    if not has_diary(context):
        return {}, 0
    tables = context.tables
    known = list(Past.__dataclass_fields__)
    done = tables.rows("stage_runs", columns=[*known, "stage", "writes"], where={"status": [DONE]})
    # A stage that found its work done wrote nothing, and was quick.
    done.sort(key=lambda row: (len(row["writes"]) > 0, row["finished"]))
    past = {row["stage"]: Past(**{key: row[key] for key in known}) for row in done}  # the last one stays
    files = tables.rows("files", columns=["bytes"]) if tables.exists("files") else []
    return past, sum(row["bytes"] for row in files)


def has_diary(context: Context) -> bool:
    """Say whether there is a diary; where the tables are folders, Spark is not started to look."""
    config = context.config
    if config.tables.namespace is None and not (config.workspace_path / "warehouse" / "stage_runs").exists():
        return False
    return context.tables.exists("stage_runs")


def estimates(names: Sequence[str], past: Mapping[str, Past], growth: float, settings: str) -> list[str]:
    """Return the table of stages with rows and minutes: those of the last run, scaled by the input's size."""
    rows, total, unknown, changed = [], 0.0, False, False
    for name in names:
        last = past.get(name)
        if last is None:
            rows.append([name, "-", "-", "no earlier run"])
            unknown = True
            continue
        minutes = last.seconds * growth / 60
        total += minutes
        differs = last.settings_hash != settings
        changed = changed or differs
        when = f"{moment_text(last.finished)} UTC, run {last.run_id}{' *' if differs else ''}"
        rows.append([name, f"{last.rows_in * growth:,.0f}", f"{minutes:.1f}", when])
    if total:
        rows.append(["total", "", f"{total:.1f}", "without those of no earlier run" if unknown else ""])
    shown = text_table(["Stage", "rows in", "minutes", "after"], rows)
    return [*shown, *(["* with other settings than now"] if changed else [])]
