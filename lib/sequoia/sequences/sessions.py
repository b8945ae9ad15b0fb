"""Sessions: a user's events cut wherever the gap to the event before is longer than the setting.

The `user` of an interaction is the visitor key: an account, or the cookie of a log that knows no accounts.
Events without one belong to no session. Times that are whole days give one session per day.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.order import Integers, run_starts
from sequoia.buckets.strings import take_strings
from sequoia.sequences.encode import Events
from sequoia.sequences.histories import lists_of

# A session of one event has no next item to learn from.
MIN_EVENTS = 2


def session_rows(events: Events, names: pa.StringArray, item_ids: Integers, *, gap_minutes: int) -> pa.Table:
    """Return the rows of the sessions table; names: of each user, item_ids: of each item number.

    Sessions are numbered per user from 1; those of one event count, but have no row.
    """
    owners = events.owners
    starts = run_starts(owners)
    starts[1:] |= np.diff(events.times) > gap_minutes * 60_000
    begins = np.flatnonzero(starts)
    lengths = np.diff(begins, append=len(owners))
    owner = owners[begins]
    first = np.flatnonzero(run_starts(owner))
    numbers = np.arange(len(owner)) - np.repeat(first, np.diff(first, append=len(owner))) + 1
    long = lengths >= MIN_EVENTS
    stays = np.repeat(long, lengths)
    bounds = np.concatenate([[0], np.cumsum(lengths[long])])
    users, suffix = take_strings(names, owner[long]), pa.array(numbers[long]).cast(pa.string())
    return pa.table(
        {
            "session": pc.binary_join_element_wise(users, suffix, ":"),
            "items": lists_of(item_ids[events.items[stays]], bounds),
            "times": lists_of(events.times[stays], bounds),
            "length": pa.array(lengths[long], pa.int32()),
        }
    )
