"""What a file is, by its name and its first lines; nothing is inferred from more than that."""

from __future__ import annotations

from sequoia.errors import UserError
from sequoia.ingest.files.blocks import head
from sequoia.ingest.files.find import RawFile
from sequoia.ingest.formats.csv_lines import read_line
from sequoia.ingest.formats.parse import BadLineError
from sequoia.ingest.settings import EventColumns, Format, IngestSettings

LINES = 20


def recognise(file: RawFile, settings: IngestSettings) -> Format | None:
    """Return a file's format, or None when it is none of ours.

    Raises UserError for an empty file, one that is damaged from its start, and a CSV with other columns.
    """
    if not file.is_text:
        return "events" if settings.format in ("auto", "events") else None
    lines = first_lines(file, LINES, settings)
    if settings.format != "auto":
        return settings.format
    if file.name.startswith("meta_"):
        return "metadata"
    if file.name.endswith(".csv"):
        return _csv(file, lines[0], settings.columns)
    if file.name == "sequences.txt":
        return "sequences"
    return _json(lines) if file.name.endswith((".json", ".jsonl")) else None


def first_lines(file: RawFile, count: int, settings: IngestSettings) -> list[bytes]:
    """Return a file's first lines; UserError when there are none."""
    lines = head(file.path, lines=count, max_line_bytes=settings.max_line_bytes)
    if not lines:
        damaged = file.bytes > 0 and not _unzips_to_nothing(file, settings)
        state = "is damaged from its start" if damaged else "is empty"
        raise UserError(f"{file.path} {state}: fetch it again, or take it out of the input")
    return lines


def _unzips_to_nothing(file: RawFile, settings: IngestSettings) -> bool:
    from sequoia.ingest.files.gunzip import DamagedError, pieces

    try:
        return not any(pieces(file.path, settings.max_line_bytes))
    except DamagedError:
        return False


def header(file: RawFile, settings: IngestSettings) -> list[str]:
    """Return the names in the first line of a CSV event log."""
    return read_line(first_lines(file, 1, settings)[0].decode("utf-8", "replace"))


def _csv(file: RawFile, line: bytes, columns: EventColumns) -> Format:
    try:
        fields = read_line(line.decode("utf-8", "replace"))
    except BadLineError:
        return "ratings"
    if any(_is_number(field) for field in fields):
        return "ratings"
    check_header(file.path, fields, columns)
    return "events"


def check_header(path: str, fields: list[str], columns: EventColumns) -> None:
    """Raise UserError when a header lacks a configured column, or has several of its name."""
    wanted = {"user": columns.user, "item": columns.item, "time": columns.time, "rating": columns.rating}
    for key, name in wanted.items():
        if name is not None and fields.count(name) > 1:
            raise UserError(
                f"{path} has {fields.count(name)} columns with the name {name}: rename all but one, or set "
                f"ingest.columns.{key} to another one"
            )
        if name is not None and name not in fields:
            raise UserError(
                f"{path} has the columns {', '.join(fields)} and no {name}: set ingest.columns.{key} "
                "to one of them"
            )


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _json(lines: list[bytes]) -> Format | None:
    text = b"\n".join(lines)
    if b"reviewerID" in text:
        return "reviews"
    return "metadata" if b'"asin"' in text or b"'asin'" in text else None
