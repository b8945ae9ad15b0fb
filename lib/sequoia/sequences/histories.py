"""One row per user: events as arrays, and the positions where each split cuts them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sequoia.buckets.order import Flags, Integers
from sequoia.sequences.encode import Events
from sequoia.sequences.held_out import Protocol

Cuts = tuple[int, int]  # the validation and the test cut, milliseconds

# Leave-one-out takes two events; a shorter history trains as a whole and nothing of it is held out.
HELD_OUT_EVENTS = 2


def choose(events: Events, users: Flags, items: Flags) -> Events:
    """Return the events of some users with some items; users without an event are not among them."""
    return keep(events, items[events.items] & np.repeat(users, np.diff(events.bounds)))


def keep(events: Events, stays: Flags) -> Events:
    """Return some of the events, and the users that have any of them."""
    before = np.concatenate([[0], np.cumsum(stays)])
    lengths = np.diff(before[events.bounds])
    has = lengths > 0
    return Events(
        users=events.users[has],
        bounds=np.concatenate([[0], np.cumsum(lengths[has])]),
        items=events.items[stays],
        times=events.times[stays],
        ratings=events.ratings[stays],
    )


def positions(events: Events, cuts: Cuts) -> dict[str, Integers]:
    """Return of each user the length, and how many events come before each cut of both splits."""
    lengths = np.diff(events.bounds)
    early = [np.concatenate([[0], np.cumsum(events.times < cut)]) for cut in cuts]
    valid, test = (np.diff(counts[events.bounds]) for counts in early)
    return {
        "length": lengths,
        "loo_train": leave_one_out(lengths),
        "time_train": valid,
        "time_valid": test,
    }


def leave_one_out(lengths: Integers) -> Integers:
    """Return how many events train: all but two, or all where there are fewer than three."""
    return np.where(lengths > HELD_OUT_EVENTS, lengths - HELD_OUT_EVENTS, lengths)


def cap(events: Events, protocol: Protocol, cuts: Cuts, most: int) -> Events:
    """Keep of a long history the newest events that train, and the first of each span that is held out.

    So what trains does not depend on what comes later.
    """
    if not len(events.users) or np.diff(events.bounds).max() <= most:
        return events
    of = positions(events, cuts)
    trained = of["loo_train" if protocol == "leave-one-out" else "time_train"]
    validated = trained + 1 if protocol == "leave-one-out" else of["time_valid"]
    lengths = of["length"]
    place = np.arange(len(events.items)) - np.repeat(events.bounds[:-1], lengths)
    trained, validated = np.repeat(trained, lengths), np.repeat(validated, lengths)
    since = np.where(place < trained, trained - most, np.where(place < validated, trained, validated))
    stays = (place >= since) & ((place < trained) | (place < since + most))
    return keep(events, stays)


def sequence_rows(events: Events, item_ids: Integers, cuts: Cuts) -> pa.Table:
    """Return the rows of the sequences table; item_ids: of each item number."""
    lists = {
        "items": lists_of(item_ids[events.items], events.bounds),
        "times": lists_of(events.times, events.bounds),
        "ratings": lists_of(events.ratings, events.bounds),
    }
    numbers = {name: pa.array(of, pa.int32()) for name, of in positions(events, cuts).items()}
    return pa.table({"user_id": events.users, **lists, **numbers})


def lists_of(values: npt.NDArray[np.generic], bounds: Integers) -> pa.ListArray:
    """Cut values into lists at the bounds."""
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(values))
