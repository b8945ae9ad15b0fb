"""Sequences as text (S3-Rec): one user a line, first the user, then the items from oldest to newest.

They tell an order and no times: the time of an event is its position, in steps of one second from 1970.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.formats.parse import BadLineError, Grammar, NotFastError
from sequoia.ingest.formats.usable_events import EVENT, LARGEST, Limits, event_check

STEP = 1000


def sequences() -> Grammar:
    """Return the grammar of sequence lines: as many rows as events, one row for a line without items."""
    bounds = Limits(first_time=0, last_time=LARGEST["milliseconds"], needs_rating=False)
    return Grammar(columns=EVENT, fast=_fast, slow=_slow, check=event_check(bounds), row_per_line=False)


def _fast(data: bytes, lines: int) -> tuple[pa.Table, None]:
    if not data.isascii() or b"\r" in data or b"\n\n" in data or data.startswith(b"\n"):
        raise NotFastError("blank lines or odd characters")
    text = pa.array(data.decode("ascii").split("\n")[:-1], pa.string())
    tokens = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(text))
    lengths = pc.list_value_length(tokens).to_numpy()
    if lengths.min() < 2:
        raise NotFastError("a line without items")
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    position = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    words = pc.list_flatten(tokens)
    events = position > 0
    items = words.filter(pa.array(events))
    users = words.take(pa.array(np.repeat(starts, lengths)[events]))
    count = len(items)
    rest = [pa.nulls(count, kind) for kind in (pa.float64(), pa.bool_(), pa.int64())]
    return pa.table([users, items, pa.array(position[events] * STEP), *rest], schema=EVENT), None


def _slow(line: str) -> list[tuple[Any, ...]]:
    user, *items = line.split()
    if not items:
        raise BadLineError("a user without items")
    return [(user, item, position * STEP, None, None, None) for position, item in enumerate(items, start=1)]
