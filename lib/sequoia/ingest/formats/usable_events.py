"""What makes an event usable, as vectorised checks shared by all line formats."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.ingest.formats.parse import Lines, flags
from sequoia.ingest.settings import IngestSettings, Unit, milliseconds

DAY = 86_400_000
# Milliseconds of a unit of time, and the largest number of units: beyond it nothing is a time, and arithmetic
# may overflow.
SCALE: dict[Unit, int] = {"seconds": 1000, "milliseconds": 1}
LARGEST = {unit: 2**53 // scale for unit, scale in SCALE.items()}

# Columns of an event before the checks; time in milliseconds.
EVENT = pa.schema(
    [
        ("user", pa.string()),
        ("item", pa.string()),
        ("time", pa.int64()),
        ("rating", pa.float64()),
        ("verified", pa.bool_()),
        ("votes", pa.int64()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of usable events; times in milliseconds, both inclusive."""

    first_time: int
    last_time: int
    needs_user: bool = True
    needs_rating: bool = True


def limits(settings: IngestSettings, *, needs_user: bool = True, needs_rating: bool = True) -> Limits:
    """Return the bounds that the settings ask for; without last_time, one day from now."""
    last = milliseconds(settings.last_time) if settings.last_time else int(time.time() * 1000) + DAY
    first = milliseconds(settings.first_time)
    return Limits(first_time=first, last_time=last, needs_user=needs_user, needs_rating=needs_rating)


def beyond(numbers: pa.ChunkedArray, bound: float) -> Lines:
    """Say of each number whether it is missing, or further from 0 than the bound."""
    span = pc.min_max(numbers).as_py()
    if not numbers.null_count and (not len(numbers) or max(-span["min"], span["max"]) <= bound):
        return np.zeros(len(numbers), dtype=bool)
    inside = pc.and_(pc.less_equal(numbers, bound), pc.greater_equal(numbers, -bound))
    return ~flags(inside, null=False)


def event_check(bounds: Limits) -> Callable[[pa.Table], pa.Table]:
    """Return the check of event columns against bounds: bad rows get a reason and lose their values."""

    def check(table: pa.Table) -> pa.Table:
        user, item, moment, rating = (table.column(name) for name in ("user", "item", "time", "rating"))
        outside = pc.invert(pc.and_(pc.greater_equal(rating, 1), pc.less_equal(rating, 5)))
        faults = [
            (_missing(user), "user is missing" if bounds.needs_user else None),
            (_missing(item), "item is missing"),
            (pc.is_null(moment), "time is missing"),
            (pc.less(moment, bounds.first_time), "time before first_time"),
            (pc.greater(moment, bounds.last_time), "time after last_time"),
            (pc.is_null(rating), "rating is missing" if bounds.needs_rating else None),
            (outside, "rating outside 1 to 5"),
        ]
        return _typed(blank_bad_rows(table, faults))

    return check


def blank_bad_rows(table: pa.Table, faults: list[tuple[pa.ChunkedArray, str | None]]) -> pa.Table:
    """Set `reason` to the first fault that holds, where none is set yet, and null every value of bad rows."""
    reason = table.column("reason")
    for holds, name in faults:
        certain = pc.fill_null(holds, False)
        if name is not None and pc.any(certain).as_py():
            reason = pc.if_else(pc.and_(certain, pc.is_null(reason)), name, reason)
    names = [name for name in table.column_names if name != "reason"]
    if reason.null_count < len(table):
        good = pc.is_null(reason)
        columns = [pc.if_else(good, table.column(name), None) for name in names]
    else:
        columns = [table.column(name) for name in names]
    return pa.table([*columns, reason], names=[*names, "reason"])


def _missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.or_(pc.is_null(column), pc.equal(pc.fill_null(pc.utf8_length(column), 0), 0))


def _typed(table: pa.Table) -> pa.Table:
    rating = table.column("rating").cast(pa.float32())
    votes = table.column("votes").cast(pa.int32())
    table = table.set_column(table.schema.get_field_index("rating"), "rating", rating)
    return table.set_column(table.schema.get_field_index("votes"), "votes", votes)
