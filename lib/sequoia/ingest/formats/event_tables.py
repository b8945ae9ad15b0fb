"""Event logs as Parquet files, those of Delta tables among them: configured columns of any type, checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.files.row_groups import Rows
from sequoia.ingest.formats.csv_lines import WHOLE, decimal
from sequoia.ingest.formats.event_csv import ISO, read_time
from sequoia.ingest.formats.parse import RAW_CHARACTERS, BadLineError
from sequoia.ingest.formats.usable_events import DAY, EVENT, LARGEST, SCALE, event_check, limits
from sequoia.ingest.settings import EventColumns, IngestSettings, Unit

BATCH = 1 << 17  # rows
SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

# Values, and why there is none where the column has something else.
Column = tuple[pa.Array, pa.Array]


def event_rows(
    rows: Rows, partition: dict[str, str | None], settings: IngestSettings, *, size: int = BATCH
) -> Iterator[pa.Table]:
    """Yield the events of rows in order, with `reason` and `raw`, all columns of a bad row as JSON.

    partition: columns that are the same for all rows, and not among them.
    """
    names = settings.columns
    check = event_check(limits(settings, needs_user=names.user is not None, needs_rating=False))
    asked = {names.user, names.item, names.time, names.rating} - {None, *partition}
    read = [name for name in rows.schema.names if name in asked]
    for group in rows.groups:
        whole = enumerate(rows.batches(group, rows.schema.names, size))  # read as far as there are bad rows
        for number, batch in enumerate(rows.batches(group, read, size)):
            table = check(_events(batch, names, partition))
            yield table.append_column("raw", _raw(table, whole, number, partition))


def _events(batch: pa.Table, names: EventColumns, partition: dict[str, str | None]) -> pa.Table:
    def column(name: str | None) -> pa.Array:
        if name is not None and name in partition:
            return pa.array(np.full(len(batch), partition[name], object), pa.string())
        if name is None or name not in batch.column_names:
            return pa.nulls(len(batch), pa.string())  # a Delta table may have got it after this file
        found = batch.column(name).combine_chunks()
        found = pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
        return found.dictionary_decode() if pa.types.is_dictionary(found.type) else found

    user, item = (_text(column(name), key) for key, name in (("user", names.user), ("item", names.item)))
    time, rating = _time(column(names.time), names.time_unit), _rating(column(names.rating))
    values = [user[0], item[0], time[0], rating[0], pa.nulls(len(batch), pa.bool_())]
    events = pa.table([*values, pa.nulls(len(batch), pa.int64())], schema=EVENT)
    return events.append_column("reason", pc.coalesce(user[1], item[1], rating[1], time[1]))


def _text(column: pa.Array, key: str) -> Column:
    def decode(value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise BadLineError(f"{key} is not UTF-8") from None

    if pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type):
        column = column.cast(pa.string() if pa.types.is_large_string(column.type) else pa.binary())
    if pa.types.is_string(column.type):
        column = column.cast(pa.binary())  # from which a cast looks whether it is UTF-8
    try:
        return column.cast(pa.string()), pa.nulls(len(column), pa.string())
    except pa.ArrowInvalid:
        return _one_by_one(column, decode, pa.string())


def _rating(column: pa.Array) -> Column:
    unread = pa.nulls(len(column), pa.string())
    if _is_text(column.type):
        column, unread = _text(column, "rating")
    try:
        return column.cast(pa.float64(), safe=False), unread
    except pa.ArrowInvalid:
        values, why = _one_by_one(column, lambda text: decimal(text, "rating"), pa.float64())
        return values, pc.coalesce(unread, why)


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def _time(column: pa.Array, unit: Unit) -> Column:
    """Return milliseconds; what names no zone is UTC."""
    kind, none = column.type, pa.nulls(len(column), pa.string())
    if pa.types.is_timestamp(kind):
        return _per_second(column.cast(pa.int64()), SECOND[kind.unit]), none
    if pa.types.is_date32(kind):
        return pc.multiply(column.cast(pa.int32()).cast(pa.int64()), DAY), none
    if pa.types.is_date64(kind):
        return column.cast(pa.int64()), none
    if _is_text(kind) or pa.types.is_null(kind):
        texts, unread = _text(column, "time")
        found, why = _time_of_text(texts, unit)
        return found, pc.coalesce(unread, why)
    return _scaled(column, unit)


def _per_second(numbers: pa.Array, units: int) -> pa.Array:
    """Return milliseconds of whole units of time, so many a second."""
    if units <= 1000:
        return pc.multiply(numbers, 1000 // units)
    whole = pc.fill_null(numbers, 0).to_numpy() // (units // 1000)  # down, also before 1970
    return pc.if_else(pc.is_valid(numbers), pa.array(whole), None)


def _scaled(numbers: pa.Array, unit: Unit) -> Column:
    """Return milliseconds of numbers in a unit."""
    bound = LARGEST[unit]
    if pa.types.is_uint64(numbers.type):  # of which not all are numbers of 64 bits with a sign
        numbers = pc.min_element_wise(numbers, pa.scalar(bound + 1, pa.uint64()), skip_nulls=False)
    numbers = numbers.cast(pa.int64() if pa.types.is_integer(numbers.type) else pa.float64(), safe=False)
    near = pc.and_(pc.less_equal(numbers, bound), pc.greater_equal(numbers, -bound))
    inside = pc.if_else(near, numbers, None)
    if pa.types.is_integer(numbers.type):
        scaled = pc.multiply(inside, SCALE[unit])
    else:
        scaled = pc.floor(pc.multiply(inside, SCALE[unit])).cast(pa.int64())
    return scaled, pc.if_else(pc.invert(near), "time is out of range", None).cast(pa.string())


def _time_of_text(texts: pa.Array, unit: Unit) -> Column:
    """Return milliseconds of texts that are numbers in a unit or ISO 8601."""
    digits = pc.fill_null(pc.match_substring_regex(texts, WHOLE), True)
    found, reason = _scaled(pc.if_else(digits, texts, None).cast(pa.int64()), unit)
    if pc.all(digits).as_py() is not False:
        return found, reason
    moments, others = _plain_iso(pc.if_else(digits, None, texts))
    rest, why = _one_by_one(others, lambda text: read_time(text, unit), pa.int64())
    return pc.coalesce(found, moments, rest), pc.coalesce(reason, why)


def _plain_iso(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the milliseconds of texts that Arrow takes for times for certain, and the other texts."""
    plain = pc.match_substring_regex(texts, ISO.pattern)
    try:
        found = pc.if_else(plain, texts, None).cast(pa.timestamp("ms")).cast(pa.int64())
    except pa.ArrowInvalid:  # a 30th of February is among them
        return pa.nulls(len(texts), pa.int64()), texts
    return found, pc.if_else(plain, None, texts)


def _one_by_one(column: pa.Array, read: Callable[[Any], Any], kind: pa.DataType) -> Column:
    """Read distinct values one by one; what cannot be read has a reason instead."""
    coded = column.dictionary_encode()
    values: list[Any] = []
    reasons: list[str | None] = []
    for value in coded.dictionary.to_pylist():
        try:
            values.append(read(value))
            reasons.append(None)
        except BadLineError as error:
            values.append(None)
            reasons.append(str(error))
    found, why = pa.array(values, kind), pa.array(reasons, pa.string())
    return found.take(coded.indices), why.take(coded.indices)


def _raw(
    events: pa.Table, whole: Iterator[tuple[int, pa.Table]], number: int, partition: dict[str, str | None]
) -> pa.Array:
    """Return the whole of each bad row of a batch; whole: the batches with all columns, by their numbers."""
    reasons = events.column("reason")
    raws: list[str | None] = [None] * len(events)
    if reasons.null_count < len(events):
        bad = np.flatnonzero(pc.is_valid(reasons).to_numpy(zero_copy_only=False))
        rows = next(batch for at, batch in whole if at == number).take(pa.array(bad))
        values = [_told(column) for column in rows.columns]
        for place, row in zip(bad.tolist(), zip(*values, strict=True), strict=True):
            named = {**dict(zip(rows.column_names, row, strict=True)), **partition}
            raws[place] = json.dumps(named, default=str, ensure_ascii=False)[:RAW_CHARACTERS]
    return pa.array(raws, pa.string())


def _told(column: pa.ChunkedArray) -> list[Any]:
    """Return values for people: times as texts, which reach further than Python's, and texts of any bytes."""
    if pa.types.is_temporal(column.type):
        return list(column.cast(pa.string()).to_pylist())
    if pa.types.is_string(column.type):
        found = column.cast(pa.binary()).to_pylist()
        return [None if value is None else value.decode("utf-8", "replace") for value in found]
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return [f"a value of type {column.type}"] * len(column)
