"""Events of users as the sequences stage has them, from a few tuples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sequoia.sequences.encode import Events


def flat_events(events: Sequence[tuple[int, int, int]]) -> Events:
    """Return events of (user, item, time), the users one after the other."""
    users, items, times = np.array(events, dtype=np.int64).reshape(-1, 3).T
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    return Events(
        users=users[starts],
        bounds=np.append(starts, len(users)),
        items=items.astype(np.int32),
        times=times,
        ratings=(items % 5 + 1).astype(np.float32),
    )
