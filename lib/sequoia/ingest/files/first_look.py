"""A look at the first lines or rows of every new file before anything is written: is it what it seems?"""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa

from sequoia.errors import UserError
from sequoia.ingest.files.blocks import Block
from sequoia.ingest.files.find import RawFile
from sequoia.ingest.files.gunzip import DamagedError
from sequoia.ingest.files.recognise import check_header, first_lines, header
from sequoia.ingest.files.row_groups import open_rows, partition_of
from sequoia.ingest.formats.event_tables import event_rows
from sequoia.ingest.formats.grammars import grammar, ratings_order
from sequoia.ingest.formats.parse import parse
from sequoia.ingest.settings import EventColumns, Format, IngestSettings

LINES = 1000
ITEM = re.compile(r"[0-9A-Z]{10}")
REVIEWER = re.compile(r"A[0-9A-Z]{10,}")
CLEAR = 0.9


def look(file: RawFile, form: Format, settings: IngestSettings) -> list[str] | None:
    """Return the names in the header of a CSV event log, None for other files.

    Raises UserError for a damaged file, one without the configured columns, and one whose first lines or rows
    are mostly unusable or have their columns swapped.
    """
    if not file.is_text:
        _check_rows(file, settings)
        return None
    names = header(file, settings) if form == "events" else None
    if names is not None:
        check_header(file.path, names, settings.columns)
    _check_lines(file, form, settings, names)
    return names


def _check_lines(file: RawFile, form: Format, settings: IngestSettings, header: list[str] | None) -> None:
    lines = first_lines(file, LINES + (header is not None), settings)
    lines = lines[1:] if header is not None else lines
    if not lines:
        raise UserError(
            f"{file.path} has a header and nothing below it: fetch it again, or take it out of the input"
        )
    if form == "ratings":
        _check_order(file, lines, settings)
    block = Block(data=b"\n".join(lines).replace(b"\r", b"") + b"\n")
    found = grammar(form, settings, name=file.name, header=header)
    _check_reasons(file, form, parse(found, block).column("reason"), settings)


def _check_rows(file: RawFile, settings: IngestSettings) -> None:
    try:
        with open_rows(file) as rows:
            _check_columns(file, rows.schema, settings.columns)
            first = next(event_rows(rows, partition_of(file), settings, size=LINES), None)
    except DamagedError as error:
        raise UserError(
            f"{file.path} is no Parquet file, or damaged ({error}): fetch it again, or take it out of the "
            "input"
        ) from None
    if first is not None:
        _check_reasons(file, "events", first.column("reason"), settings)


def _check_reasons(file: RawFile, form: Format, found: pa.ChunkedArray, settings: IngestSettings) -> None:
    reasons = found.to_pylist()
    bad = Counter(reason for reason in reasons if reason)
    if bad.total() > settings.max_quarantined * len(reasons):
        worst, times = bad.most_common(1)[0]
        raise UserError(
            f"{file.path} does not look like {form}: {bad.total()} of its first {len(reasons)} rows cannot "
            f"be used, more than ingest.max_quarantined = {settings.max_quarantined} (commonest: {worst}, "
            f"{times} times); set ingest.format, or raise the bound"
        )


def _check_columns(file: RawFile, schema: pa.Schema, columns: EventColumns) -> None:
    if file.table is None:  # a Delta table's files may have fewer columns than the table
        check_header(file.path, [*schema.names, *partition_of(file)], columns)
    for name in {columns.user, columns.item, columns.time, columns.rating} & {*schema.names}:
        if not _is_plain(schema.field(name).type, is_rating=name == columns.rating):
            raise UserError(
                f"{file.path} has in {name} values of type {schema.field(name).type}: set ingest.columns to "
                "columns of texts, numbers or times"
            )


def _is_plain(kind: pa.DataType, *, is_rating: bool) -> bool:
    """Say whether values of a type are texts, numbers or, but for ratings, times."""
    odd = pa.types.is_nested(kind) or pa.types.is_fixed_size_binary(kind)
    odd = odd or pa.types.is_time(kind) or pa.types.is_duration(kind)
    return not (odd or (is_rating and pa.types.is_temporal(kind)))


def _check_order(file: RawFile, lines: list[bytes], settings: IngestSettings) -> None:
    pairs = [line.decode("utf-8", "replace").split(",")[:2] for line in lines]
    pairs = [pair for pair in pairs if len(pair) == 2]
    expected = ratings_order(file.name, settings)
    other = "user,item" if expected == "item,user" else "item,user"
    if _share(pairs, other) >= CLEAR > _share(pairs, expected):
        raise UserError(
            f"{file.path} has its columns in the order {other} (by the shape of its ids), expected was "
            f"{expected}: set ingest.ratings_order={other}"
        )


def _share(pairs: list[list[str]], order: str) -> float:
    """Return the share of lines whose ids look like Amazon's in that order."""
    item, user = (0, 1) if order == "item,user" else (1, 0)
    fits = sum(bool(ITEM.fullmatch(pair[item]) and REVIEWER.fullmatch(pair[user])) for pair in pairs)
    return fits / max(1, len(pairs))
