"""The iterated k-core: drop users and items with fewer than k interactions until every one left has k.

The files published as "5-core" count duplicates and are not; this is the fixed point after de-duplication.
A round drops weak users and weak items together. Users are spread over groups of pieces, each a task; the
counts of all items are summed over the groups.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from sequoia.buckets.arrays import load, save
from sequoia.buckets.groups import Codes
from sequoia.buckets.order import Flags
from sequoia.buckets.shuffle import Report
from sequoia.sequences.encode import load_events
from sequoia.storage import locate

Do = Callable[..., list[Any]]  # makes calls, each a task of its own, and returns what they return

GROUP_EVENTS = 30_000_000  # of one task; 10 bytes each, and 8 for every user and item there is
MANY = 0.3  # of the events of a group: when so many go, the others are written anew


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round of the filter left; the last round drops nothing."""

    users: int
    items: int
    interactions: int


@dataclass(frozen=True, kw_only=True)
class Core:
    """Where it is written who stays: the users of each piece, and the items; and the counts.

    rounds[0] is the input. `settled` is False when max_rounds rounds were not enough.
    """

    users: list[str]
    items: str
    rounds: list[Round]
    settled: bool


@dataclass(frozen=True, kw_only=True)
class Group:
    """Encoded pieces whose users are counted by one task; `items` is the number of all item numbers."""

    name: str
    pieces: tuple[Report, ...]
    items: int
    k: int
    folder: str


def find_core(do: Do, pieces: Sequence[Report], *, items: int, k: int, max_rounds: int, folder: str) -> Core:
    """Find the k-core of encoded pieces. What fits in one task is done there from first to last."""
    groups = [
        Group(name=f"core-{place}", pieces=tuple(some), items=items, k=k, folder=folder)
        for place, some in enumerate(_groups(pieces))
    ]
    if len(groups) > 1:
        return _find_core(do, groups, max_rounds)
    (found,) = do(partial(_in_one_task, groups, max_rounds))
    return Core(**found | {"rounds": [Round(**one) for one in found["rounds"]]})


def _in_one_task(groups: list[Group], max_rounds: int) -> Report:
    core = _find_core(lambda *calls: [call() for call in calls], groups, max_rounds)
    return vars(core) | {"rounds": [vars(one) for one in core.rounds]}


def _groups(pieces: Sequence[Report]) -> Iterator[list[Report]]:
    some: list[Report] = []
    for piece in pieces:
        if some and sum(one["kept"] for one in some) + piece["kept"] > GROUP_EVENTS:
            yield some
            some = []
        some.append(piece)
    if some:
        yield some


def _find_core(do: Do, groups: list[Group], max_rounds: int) -> Core:
    folder, k = groups[0].folder, groups[0].k

    def count(reports: list[Report]) -> tuple[str, Round]:
        (found,) = do(partial(_sum, [one["degrees"] for one in reports], k, folder, len(rounds)))
        users = sum(one["users"] for one in reports)
        return found["strong"], Round(users=users, items=found["items"], interactions=found["events"])

    rounds: list[Round] = []
    states = do(*(partial(_begin, group) for group in groups))
    strong, left = count(states)
    rounds.append(left)
    while rounds[-1].interactions and len(rounds) <= max_rounds + 1:
        states = do(
            *(
                partial(_drop_weak, group, state, strong, len(rounds))
                for group, state in zip(groups, states, strict=True)
            )
        )
        strong, left = count(states)
        rounds.append(left)
        if rounds[-1] == rounds[-2]:
            break
    settled = not rounds[-1].interactions or rounds[-1] == rounds[-2]
    users = do(*(partial(_kept_users, group, state) for group, state in zip(groups, states, strict=True)))
    return Core(
        users=[path for paths in users for path in paths], items=strong, rounds=rounds, settled=settled
    )


def _begin(group: Group) -> Report:
    """Leave the events of a group as (owner, item), and the counts of both."""
    owners, items = [], []
    first = 0
    for piece in group.pieces:
        events = load_events(piece)
        owners.append(events.owners + np.int32(first))
        items.append(events.items)
        first += len(events.users)
    return _left(group, 0, first, np.concatenate(owners), np.concatenate(items))


def _drop_weak(group: Group, state: Report, strong_items: str, at: int) -> Report:
    """Drop the weak users of a group, and events with weak items: round number `at`."""
    events = load(state["events"])
    owners, items = events.column("owner").to_numpy(), events.column("item").to_numpy()
    of_users, of_items = (load(state[name]).column("degree").to_numpy() for name in ("of_users", "degrees"))
    stays = (of_users >= group.k)[owners]
    stays &= load_flags(strong_items)[items]
    if state["alive"]:
        alive = load_flags(state["alive"])
        stays &= alive
        gone = np.flatnonzero(alive ^ stays)
    else:
        gone = np.flatnonzero(~stays)
    if len(gone) > MANY * len(owners) or at == 1:
        return _left(group, at, len(of_users), owners[stays], items[stays])
    # Few events go in most rounds: the counts lose theirs, and the others are not touched.
    of_users, of_items = of_users.copy(), of_items.copy()
    np.subtract.at(of_users, owners[gone], 1)
    np.subtract.at(of_items, items[gone], 1)
    return _saved(group, at, of_users, of_items) | {
        "events": state["events"],
        "alive": _save_flags(stays, group.folder, f"{group.name}-{at}-alive"),
    }


def _left(group: Group, at: int, users: int, owners: Codes, items: Codes) -> Report:
    events = save(pa.table({"owner": owners, "item": items}), group.folder, f"{group.name}-{at}")
    of_users = np.bincount(owners, minlength=users).astype(np.int32)
    of_items = np.bincount(items, minlength=group.items).astype(np.int32)
    return _saved(group, at, of_users, of_items) | {"events": events, "alive": None}


def _saved(group: Group, at: int, of_users: Codes, of_items: Codes) -> Report:
    """Leave the counts under a name of the round, so that a task that runs twice finds those before it."""
    for name in ("of_users", "degrees", "alive"):
        (locate(group.folder) / f"{group.name}-{at - 2}-{name}.arrow").unlink(missing_ok=True)
    paths = {
        name: save(pa.table({"degree": degrees}), group.folder, f"{group.name}-{at}-{name}")
        for name, degrees in (("of_users", of_users), ("degrees", of_items))
    }
    return paths | {"users": int(np.count_nonzero(of_users))}


def _sum(degrees: Sequence[str], k: int, folder: str, at: int) -> Report:
    """Sum the groups' counts of items, and leave which items have k events."""
    total = sum(load(path).column("degree").to_numpy() for path in degrees)
    return {
        "strong": _save_flags(total >= k, folder, f"core-items-{at}"),
        "items": int(np.count_nonzero(total)),
        "events": int(total.sum(dtype=np.int64)),
    }


def _save_flags(flags: Flags, folder: str, name: str) -> str:
    return save(pa.table({"flag": flags.view(np.uint8)}), folder, name)


def load_flags(path: str) -> Flags:
    """Return what a core says of users or items."""
    flags: Flags = load(path).column("flag").to_numpy().view(np.bool_)
    return flags


def _kept_users(group: Group, state: Report) -> list[str]:
    keep = load(state["of_users"]).column("degree").to_numpy() > 0
    bounds = np.cumsum([0, *(piece["distinct"] for piece in group.pieces)]).tolist()
    return [
        _save_flags(keep[begin:end], group.folder, f"{group.name}-users-{place}")
        for place, (begin, end) in enumerate(itertools.pairwise(bounds))
    ]
