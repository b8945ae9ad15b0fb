"""A few users with their histories and top items, by title where one is known, for people to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.shuffle import Report, call_tasks, map_tasks
from sequoia.buckets.strings import hash_strings
from sequoia.road.stage import Context
from sequoia.splitmix64 import GAMMA, mix
from sequoia.tables.parts import Part, read_columns, read_groups

LEAST_EVENTS = 3
SHOWN_EVENTS = 10

Sample = tuple[int, str, list[str]]  # the draw, the user, the newest of the history


class Drawn:
    """Users with three events or more, drawn from all that were looked at: which ones, the seed decides."""

    def __init__(self, *, limit: int, seed: int) -> None:
        self._limit = limit
        self._start = mix(np.array([seed], dtype=np.uint64) + GAMMA)
        self._found: list[Sample] = []

    def look_at(self, batch: pa.RecordBatch) -> None:
        """Take users (user, history) into account."""
        if not self._limit:
            return
        long = pc.greater_equal(pc.list_value_length(batch["history"]), LEAST_EVENTS)
        users, histories = batch["user"].filter(long), batch["history"].filter(long)
        draws = mix(hash_strings(users).first ^ self._start)
        for place in np.argsort(draws, kind="stable")[: self._limit].tolist():
            newest = histories[place].as_py()[-SHOWN_EVENTS:]
            self._found.append((int(draws[place]), users[place].as_py(), newest))
        self._found = sorted(self._found)[: self._limit]

    def told(self) -> list[Sample]:
        """Return the users drawn."""
        return self._found


def show_samples(context: Context, reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return recommend.sample_users of the users that tasks have drawn, with what they wrote for them.

    Each is {"user", "history": [title or item, ...] the newest ten, "recommended": [{"item", "title",
    "score"}, ...]}.
    """
    drawn = sorted((*sample, at) for at, report in enumerate(reports) for sample in report["samples"])
    chosen = drawn[: context.config.recommend.sample_users]
    files: dict[int, list[str]] = {}
    for *_, user, _, at in chosen:
        files.setdefault(at, []).append(user)
    calls = [partial(_rows, Part(**reports[at]["part"]), users) for at, users in files.items()]
    rows = {row["user"]: row for found in call_tasks(context.spark, calls) for row in found}
    shown = {user: history for _, user, history, _ in chosen}
    titles = _titles(context, {item for user in shown for item in [*shown[user], *rows[user]["items"]]})
    return [
        {
            "user": user,
            "history": [titles.get(item, item) for item in shown[user]],
            "recommended": [
                {"item": item, "title": titles.get(item), "score": score}
                for item, score in zip(rows[user]["items"], rows[user]["scores"], strict=True)
            ],
        }
        for user in sorted(shown)
    ]


def _rows(part: Part, users: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a few users in a file."""
    wanted = pa.array(users, pa.string())
    found: list[dict[str, Any]] = []
    for rows in read_groups(part.path, ["user", "items", "scores"]):
        found += rows.filter(pc.is_in(rows.column("user"), value_set=wanted)).to_pylist()
    return found


def _titles(context: Context, items: Iterable[str]) -> dict[str, str]:
    """Return the titles that are known of a few items."""
    wanted = sorted(items)
    if not wanted or not context.tables.exists("items"):
        return {}
    files = context.tables.files("items", written_by="ingest")
    found = map_tasks(context.spark, files, partial(_titles_in, wanted=wanted))
    return {item: title for report in found for item, title in report.items()}


def _titles_in(part: Part, *, wanted: Sequence[str]) -> Report:
    rows = read_columns(part.path, ["item", "title"])
    asked = pc.is_in(rows.column("item"), value_set=pa.array(wanted, pa.string()))
    known = rows.filter(pc.and_(asked, pc.is_valid(rows.column("title"))))
    return dict(zip(known.column("item").to_pylist(), known.column("title").to_pylist(), strict=True))
