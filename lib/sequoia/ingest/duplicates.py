"""Which of several lines about the same thing is kept: a total order on contents, not on places.

Events with the same user, item and time are one interaction. The richest line is kept:
reviews before event logs before ratings before sequences, then the higher rating, a verified
purchase, more votes, and the smallest source name. Lines that are equal in all of these are equal in all
columns of interactions. An event without a user is nobody's duplicate: two strangers may do the same at the
same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk, take
from sequoia.buckets.groups import Codes, group
from sequoia.buckets.order import Flags, order_events, run_starts
from sequoia.buckets.strings import hash_strings, take_strings

RICHEST = ("reviews", "events", "ratings", "sequences")

# Good event lines; source is the place of the file in the sorted list of all.
LINES = pa.schema(
    [
        ("user", pa.string()),
        ("item", pa.string()),
        ("time", pa.int64()),
        ("rating", pa.float32()),
        ("verified", pa.bool_()),
        ("votes", pa.int32()),
        ("source", pa.int32()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file of event lines."""

    name: str
    form: str


def resolve_events(lines: pa.Table, sources: Sequence[Source]) -> pa.Table:
    """Return the interactions that some users' good lines tell, each once.

    lines: all lines of these users, with the columns of LINES. The rows come by the hash of the user, time,
    and the hash of the item, those without a user last. user, item and source are dictionaries, those of user
    and item in the order of their hashes.
    """
    user, item = one_chunk(lines.column("user")), one_chunk(lines.column("item"))
    time = lines.column("time").to_numpy()
    items = group(hash_strings(item))
    item_codes = items.of_rows()
    known = np.flatnonzero(user.is_valid())
    users = group(hash_strings(take_strings(user, known) if user.null_count else user))
    rows = known[users.order]
    rows = rows[order_events(users.codes, time[rows], item_codes[rows])]
    new = run_starts(users.codes, time[rows], item_codes[rows])
    strangers = np.flatnonzero(user.is_null())
    strangers = strangers[np.lexsort((item_codes[strangers], time[strangers]))]
    kept = np.concatenate([_richest(lines, sources, rows, new), strangers])
    rest = take(lines.select(["time", "rating", "verified", "votes", "source"]), kept)
    names = pa.array([source.name for source in sources], pa.string())
    return pa.table(
        {
            "user": _with_strangers(
                users.codes[new], len(strangers), take_strings(user, known[users.firsts])
            ),
            "item": pa.DictionaryArray.from_arrays(item_codes[kept], take_strings(item, items.firsts)),
            **{name: rest.column(name) for name in ("time", "rating", "verified", "votes")},
            "source": pa.DictionaryArray.from_arrays(rest.column("source"), names),
        }
    )


def _richest(
    lines: pa.Table, sources: Sequence[Source], rows: npt.NDArray[np.intp], new: Flags
) -> npt.NDArray[np.intp]:
    """Return of each run of rows the one to keep; most runs have one."""
    starts = np.flatnonzero(new)
    lengths = np.diff(starts, append=len(rows))
    several = lengths > 1
    if not several.any():
        return rows
    kept = rows[starts]
    again = np.flatnonzero(np.repeat(several, lengths))
    run = np.repeat(np.arange(several.sum()), lengths[several])
    found = take(lines.select(["rating", "verified", "votes", "source"]), rows[again])
    source = found.column("source").to_numpy()
    richness = np.array([RICHEST.index(one.form) for one in sources])[source]
    best = np.lexsort((source, *(_descending(found.column(at)) for at in (2, 1, 0)), richness, run))
    kept[several] = rows[again][best[run_starts(run)]]
    return kept


def _descending(column: pa.Array) -> npt.NDArray[np.float64]:
    """Return what sorts a column of numbers from the largest, what is not known last."""
    known = pc.fill_null(column.cast(pa.float64()), -np.inf)
    descending: npt.NDArray[np.float64] = np.negative(known.to_numpy(zero_copy_only=False))
    return descending


def _with_strangers(codes: Codes, strangers: int, names: pa.StringArray) -> pa.DictionaryArray:
    missing = np.arange(len(codes) + strangers) >= len(codes) if strangers else None
    padded = np.concatenate([codes, np.zeros(strangers, np.int32)])
    return pa.DictionaryArray.from_arrays(pa.array(padded, mask=missing), names)
