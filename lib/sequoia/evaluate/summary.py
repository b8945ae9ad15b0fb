"""From ranks to metrics: tasks count ranks by bucket, the driver does the rest on a few hundred numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.metrics import BUCKETS, CUTOFFS, LAST_CUTOFF
from sequoia.road.stage import Context
from sequoia.splitmix64 import mix
from sequoia.tables.parts import Part, read_groups

ALL, NEW_USERS, COLD_ITEMS = "all", "new users", "cold items"
EVENT, LATER, SLICED_EVENTS = "event {}", "later events", 10  # of a span, where all of its events are ranked
GROUPS = 1024  # of users, which a resample draws where users have several targets
FULL = "full"
POPULARITY = "shown_popularity@10"
PROTOCOLS = {FULL: "rank", "sampled-uniform": "uniform_rank", "sampled-popularity": "popularity_rank"}


@dataclass(frozen=True, kw_only=True, order=True)
class Measured:
    """What is measured: model, split, protocol (full, sampled-uniform, sampled-popularity), slice."""

    model: str
    split: str
    protocol: str
    slice: str = ALL


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row of the metrics table; low and high are None where there is no interval."""

    measured: Measured
    metric: str
    value: float
    low: float | None
    high: float | None
    users: int


@dataclass(frozen=True, kw_only=True)
class Slices:
    """Users with at most so many events before the target; targets with at most so many training events.

    every: whether all events of a span are ranked, and sliced by their number in it.
    """

    new_user_events: int
    cold_item_events: int
    every: bool = False

    @classmethod
    def of(cls, context: Context) -> Slices:
        """Return what the settings call new and cold."""
        settings = context.config.evaluate
        return cls(
            new_user_events=settings.new_user_events,
            cold_item_events=settings.cold_item_events,
            every=settings.targets == "all",
        )

    def flags(self, ranks: pa.Table) -> dict[str, NDArray[np.bool_]]:
        """Return for each slice, and for all, which rows of `ranks` belong to it."""
        flags = {
            ALL: np.ones(len(ranks), dtype=bool),
            NEW_USERS: ranks.column("history_events").to_numpy() <= self.new_user_events,
            COLD_ITEMS: ranks.column("target_events").to_numpy() <= self.cold_item_events,
        }
        if self.every:
            number = ranks.column("number").to_numpy()
            flags |= {EVENT.format(at): number == at for at in range(1, SLICED_EVENTS + 1)}
            flags[LATER] = number > SLICED_EVENTS
        return flags

    def groups(self, ranks: pa.Table) -> NDArray[np.int64]:
        """Return the group of each row's user: one of all where a user has one target, else by a hash."""
        if not self.every:
            return np.zeros(len(ranks), np.int64)
        hashes = mix(ranks.column("user_id").to_numpy().view(np.uint64))
        return (hashes % np.uint64(GROUPS)).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Ranks by group of users and bucket (G, 21); of each model and split what was shown.

    covered: distinct items shown up to each cut-off. shown: their mean popularity; 1: the best seller always.
    """

    histograms: dict[Measured, NDArray[np.int64]]
    covered: dict[tuple[str, str], list[int]]
    shown: dict[tuple[str, str], float]


def count_ranks(context: Context, models: Collection[str], slices: Slices) -> Counted:
    """Count the ranks of models for each split and protocol; the slices under the full protocol only."""
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in context.tables.files("ranks", written_by="evaluate"):
        if part.partition["model"] in models:
            groups.setdefault((part.partition["model"], part.partition["split"]), []).append(part)
    # A task for each model and split: only who sees all of its rows can count distinct items.
    reports = map_tasks(context.spark, list(groups.values()), partial(_count, slices=slices))
    histograms: dict[Measured, NDArray[np.int64]] = {}
    covered, shown = {}, {}
    for (model, split), report in zip(groups, reports, strict=True):
        for protocol, part, counts in report["histograms"]:
            key = Measured(model=model, split=split, protocol=protocol, slice=part)
            histograms[key] = np.array(counts)
        covered[model, split], shown[model, split] = report["covered"], report["shown"]
    return Counted(histograms=dict(sorted(histograms.items())), covered=covered, shown=shown)


COLUMNS = [
    "user_id",
    "number",
    "recommended",
    "history_events",
    "target_events",
    "shown_popularity",
    *PROTOCOLS.values(),
]


def _count(parts: list[Part], *, slices: Slices) -> Report:
    histograms: dict[tuple[str, str], NDArray[np.int64]] = {}
    popularity: list[float] = []
    showing = 0
    best = np.zeros(0, dtype=np.int8)
    for ranks in _groups(parts):
        for protocol, name, counts in _histograms(ranks, slices):
            histograms[protocol, name] = histograms.get((protocol, name), 0) + counts
        shown = ranks.column("shown_popularity").drop_null().to_numpy()
        popularity.append(float(shown.sum()))
        showing += len(shown)
        best = _best_places(one_chunk(ranks.column("recommended")), best)
    return {
        "histograms": [[*key, counts.tolist()] for key, counts in histograms.items() if counts.any()],
        "covered": [int((best < cutoff).sum()) for cutoff in CUTOFFS],
        # Exact, as files come in any order and their sums do not.
        "shown": math.fsum(popularity) / showing if showing else 0.0,
    }


def _groups(parts: list[Part]) -> Iterator[pa.Table]:
    for part in parts:
        yield from read_groups(part.path, [*COLUMNS, *PROTOCOLS.values()])


def _histograms(ranks: pa.Table, slices: Slices) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    flags, groups = slices.flags(ranks), slices.groups(ranks)
    for protocol, name in PROTOCOLS.items():
        column = ranks.column(name)
        known = column.is_valid().to_numpy()
        values = column.fill_null(1).to_numpy()
        for part in flags if protocol == FULL else (ALL,):
            chosen = known & flags[part]
            of = GROUPS if slices.every else 1
            cells = groups[chosen] * BUCKETS + np.minimum(values[chosen], BUCKETS) - 1
            yield protocol, part, np.bincount(cells, minlength=of * BUCKETS).reshape(of, BUCKETS)


def _best_places(lists: pa.ListArray, best: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return of each vocabulary row the best place, from 0, at which it was shown so far; 20 for none."""
    rows = lists.flatten().to_numpy()
    offsets = lists.offsets.to_numpy()
    places = np.arange(len(rows)) - np.repeat(offsets[:-1] - offsets[0], np.diff(offsets))
    more = int(rows.max(initial=-1)) + 1 - len(best)
    best = np.append(best, np.full(max(more, 0), LAST_CUTOFF, dtype=np.int8))
    for place in reversed(range(LAST_CUTOFF)):
        at = rows[places == place]
        best[at] = np.minimum(best[at], place)
    return best


def metric_rows(counted: Counted, num_items: int, bootstrap: Bootstrap) -> list[Metric]:
    """Return all metrics: intervals from the histograms; coverage and popularity under the full protocol."""
    rows = []
    for measured, counts in counted.histograms.items():
        users = int(counts.sum())
        rows += [
            Metric(measured=measured, metric=metric, value=at.value, low=at.low, high=at.high, users=users)
            for metric, at in bootstrap.intervals(counts).items()
        ]
        if (measured.protocol, measured.slice) == (FULL, ALL):
            key = (measured.model, measured.split)
            items = counted.covered[key]
            shares = {f"coverage@{at}": count / num_items for at, count in zip(CUTOFFS, items, strict=True)}
            rows += plain_metrics(measured, {**shares, POPULARITY: counted.shown[key]}, users)
    return rows


def plain_metrics(measured: Measured, values: dict[str, float], users: int) -> list[Metric]:
    """Return metrics without intervals."""
    return [
        Metric(measured=measured, metric=name, value=value, low=None, high=None, users=users)
        for name, value in values.items()
    ]
