"""The bronze tables: every line of the input's files, those of a file kept from the moment they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.errors import UserError
from sequoia.ingest.bronze_rows import write_rows
from sequoia.ingest.files.chunks import Chunk, cut, with_line_numbers
from sequoia.ingest.files.first_look import look
from sequoia.ingest.files.inputs import BRONZE, Input, table_of
from sequoia.ingest.settings import IngestSettings
from sequoia.road.stage import Context
from sequoia.tables.parts import Part

TOLD = 10  # files with a sentence of their own in an error
BATCH = 2 << 30  # bytes read between two commits, or one file
LOOKS = 16  # at once: most of a look is waiting for storage


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a bronze table holds of a file."""

    fingerprint: str
    lines: int
    bad: int


def held(context: Context, table: str) -> dict[str, Held]:
    """Return by source what a bronze table holds."""
    if not context.tables.exists(table):
        return {}
    return {
        of["source"]: Held(fingerprint=of["fingerprint"], lines=lines, bad=bad)
        for of, lines, bad in context.tables.counts(table, "reason")
    }


def read_changed(context: Context, inputs: Sequence[Input]) -> None:
    """Read the files of the input that are new or changed since they were read.

    Raises UserError that names the files which are damaged or not what they are taken for; all others are
    kept, and need not be read again.
    """
    known = {table: held(context, table) for table in BRONZE}
    changed = []
    for entry in inputs:
        before = known[table_of(entry.form)].get(entry.file.source)
        if before is None or before.fingerprint != entry.fingerprint:
            changed.append(entry)
    if changed:
        size = sum(entry.file.bytes for entry in changed)
        context.say(f"reading {len(changed)} of {len(inputs)} files, {size / 1e6:,.1f} MB")
    with ThreadPoolExecutor(LOOKS) as pool:
        looked = [*pool.map(partial(_looked_at, settings=context.config.ingest), changed)]
    faults = [fault for fault in looked if isinstance(fault, str)]
    for batch in _batches([chunk for chunk in looked if isinstance(chunk, Chunk)]):
        faults += _read(context, batch)
    if faults:
        more = f"; and {len(faults) - TOLD} more files" if len(faults) > TOLD else ""
        raise UserError("; ".join(faults[:TOLD]) + more)


def drop_gone(context: Context, inputs: Sequence[Input]) -> None:
    """Drop the lines of files that are none of the input's any more, or now of another table."""
    for table in BRONZE:
        wanted = {entry.file.source for entry in inputs if table_of(entry.form) == table}
        gone = sorted(held(context, table).keys() - wanted)
        if gone:
            context.tables.publish(table, [], on=context.tables.begin(table), replacing={"source": gone})


def _looked_at(entry: Input, settings: IngestSettings) -> Chunk | str:
    """Return a file as it is to be read, or a sentence where it is not what it is taken for."""
    try:
        header = look(entry.file, entry.form, settings)
    except UserError as error:
        return str(error)
    return Chunk(file=entry.file, form=entry.form, fingerprint=entry.fingerprint, header=header)


def _batches(chunks: Sequence[Chunk]) -> Iterator[list[Chunk]]:
    batch: list[Chunk] = []
    size = 0
    for chunk in chunks:
        if batch and size + chunk.bytes > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(chunk)
        size += chunk.bytes
    if batch:
        yield batch


def _read(context: Context, files: Sequence[Chunk]) -> list[str]:
    """Read files and commit those that are sound; return what is wrong with the others, a sentence each."""
    tables, settings = context.tables, context.config.ingest.until_now()
    versions = {table: tables.begin(table) for table in sorted({table_of(file.form) for file in files})}
    targets = {table: tables.target(table) for table in versions}
    cores = context.spark.sparkContext.defaultParallelism

    def work(chunk: Chunk) -> Report:
        return write_rows(chunk, settings, targets[table_of(chunk.form)])

    reports: dict[str, list[Report]] = defaultdict(list)
    chunks = with_line_numbers(context.spark, cut(files, cores))
    chunks.sort(key=lambda chunk: -chunk.bytes)
    for report in map_tasks(context.spark, chunks, work):
        reports[report["source"]].append(report)
    faults = {file.file.source: _fault(file, reports[file.file.source], settings) for file in files}
    for table, version in versions.items():
        sound = [
            file.file.source
            for file in files
            if table_of(file.form) == table and not faults[file.file.source]
        ]
        parts = [Part(**part) for source in sound for report in reports[source] for part in report["parts"]]
        if sound:
            tables.publish(table, parts, on=version, replacing={"source": sound})
    return [fault for fault in faults.values() if fault]


def _fault(file: Chunk, reports: Sequence[Report], settings: IngestSettings) -> str | None:
    lines, bad = (sum(report[name] for report in reports) for name in ("lines", "bad"))
    damage = next((report["damage"] for report in reports if report["damage"]), None)
    if damage and not file.file.is_text:
        # Rows after the damage may have been read by other tasks, and nothing would account for those lost.
        return f"{file.file.path} is damaged ({damage}): fetch it again, or take it out of the input"
    if damage and settings.on_damage == "refuse":
        return (
            f"{file.file.path} is damaged after line {lines} ({lines - bad} good, {bad} quarantined before "
            f"it; {damage}): fetch it again, or set ingest.on_damage=keep to use what is before it"
        )
    if bad > settings.max_quarantined * lines:
        return (
            f"{file.file.path} does not look like {file.form}: {bad} of its {lines} rows cannot be used, "
            f"more than ingest.max_quarantined = {settings.max_quarantined}; set ingest.format, or raise the "
            "bound"
        )
    return None
