"""What the sequences stage must find, in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from sequences.log import Event


def slow_histories(log: Sequence[Event], *, k: int, first_only: bool) -> dict[str, list[tuple[int, str]]]:
    """Return the (day, item) pairs of every user of the k-core, same days in the order of raw item ids."""
    left = sorted((user, day, item) for user, item, day, _ in log if user is not None)
    if first_only:
        left = [event for at, event in enumerate(left) if not _seen(left[:at], event)]
    size = -1
    while size != len(left):
        size = len(left)
        users, items = Counter(user for user, _, _ in left), Counter(item for _, _, item in left)
        left = [event for event in left if users[event[0]] >= k and items[event[2]] >= k]
    histories: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for user, day, item in left:
        histories[user].append((day, item))
    return dict(histories)


def slow_cap(events: list[tuple[int, str]], cuts: Sequence[int], most: int) -> list[tuple[int, str]]:
    """Keep the newest events before the first cut (a day), and the first of each span after."""
    valid, test = cuts
    before = [event for event in events if event[0] < valid]
    between = [event for event in events if valid <= event[0] < test]
    after = [event for event in events if event[0] >= test]
    return before[-most:] + between[:most] + after[:most]


def _seen(earlier: list[tuple[str, int, str]], event: tuple[str, int, str]) -> bool:
    return any((user, item) == (event[0], event[2]) for user, _, item in earlier)
