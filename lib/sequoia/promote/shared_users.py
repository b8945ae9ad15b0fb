"""The ranks of several models for the same test users, the first target of each: what the gate compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sequoia.buckets.blobs import split
from sequoia.buckets.shuffle import Report, map_tasks, shuffle
from sequoia.errors import UserError
from sequoia.evaluate.metrics import BUCKETS
from sequoia.evaluate.summary import ALL, COLD_ITEMS, NEW_USERS, Slices
from sequoia.promote.rules import Seen
from sequoia.road.stage import Context
from sequoia.splitmix64 import mix
from sequoia.tables.parts import Part, read_groups

Joint = Mapping[tuple[str, str], NDArray[np.int64]]
PARTS = (ALL, NEW_USERS, COLD_ITEMS)
COLUMNS = ["user_id", "number", "rank", "leaked", "history_events", "target_events"]
BUCKET_BYTES = 1 << 28  # of files whose users come together in one task


def seen_targets(context: Context, models: Sequence[str]) -> dict[str, Seen]:
    """Count the test targets that models were trained on."""
    files = _test_files(context, models)
    found = {model: {"leaked": 0, "untold": 0, "users": 0} for model in models}
    for part, counts in zip(files, map_tasks(context.spark, files, _count_leaked), strict=True):
        for name, count in counts.items():
            found[part.partition["model"]][name] += count
    for model, counts in found.items():
        if not counts["users"]:
            raise UserError(f"{model} has no ranks for test users: run `sequoia evaluate` again")
    return {model: Seen(**counts) for model, counts in found.items()}


def _test_files(context: Context, models: Sequence[str]) -> list[Part]:
    of_test = {(model, "test") for model in models}
    files = context.tables.files("ranks", written_by="evaluate")
    return [part for part in files if (part.partition["model"], part.partition["split"]) in of_test]


def _count_leaked(part: Part) -> Report:
    counts: Counter[str] = Counter()
    for rows in read_groups(part.path, ["leaked"]):
        leaked = rows.column("leaked")
        hits = int(leaked.fill_null(False).to_numpy().sum())
        counts.update({"leaked": hits, "untold": leaked.null_count, "users": len(leaked)})
    return dict(counts)


def joint_histograms(context: Context, challenger: str, opponents: Sequence[str]) -> Joint:
    """Count test users by the challenger's bucket (rows) and each opponent's (columns): (21, 21) int64.

    By opponent and slice. Users whose target one of the two was trained on are left out. Raises UserError
    when the two were evaluated on other users.
    """
    found = {
        (name, part): np.zeros((BUCKETS, BUCKETS), dtype=np.int64) for name in opponents for part in PARTS
    }
    if not opponents:
        return found
    models, slices = [challenger, *opponents], replace(Slices.of(context), every=False)
    files = _test_files(context, models)
    buckets = 1 + sum(part.bytes for part in files) // BUCKET_BYTES

    def send(part: Part) -> Iterator[tuple[int, pa.Buffer]]:
        for ranks in read_groups(part.path, COLUMNS):
            ranks = ranks.filter(pc.equal(ranks.column("number"), 1))  # a user counts once
            rows = _marked(ranks, models.index(part.partition["model"]), slices)
            yield from split(rows, mix(rows.column("user_id").to_numpy().view(np.uint64)), buckets)

    def meet(_bucket: int, tables: Iterator[pa.Table]) -> Iterable[Report]:
        rows = pa.concat_tables(tables).sort_by("user_id")
        own, *others = (rows.filter(pc.field("model") == at) for at in range(len(models)))
        yield {"joint": [_joint(own, other) for other in others]}

    for report in shuffle(context.spark, files, send, meet, buckets):
        for name, joint in zip(opponents, report["joint"], strict=True):
            if joint is None:
                names = f"{challenger} and {' or '.join(opponents)}"
                raise UserError(f"{names} were evaluated on other users: run `sequoia evaluate` again")
            for part, counts in joint.items():
                found[name, part] += np.array(counts)
    return found


def _marked(ranks: pa.Table, model: int, slices: Slices) -> pa.Table:
    """Return (user_id, model, bucket from 0, leaked, and a flag of each slice)."""
    columns = {
        "user_id": ranks.column("user_id"),
        "model": pa.array(np.full(len(ranks), model, dtype=np.int8)),
        "bucket": pa.array(np.minimum(ranks.column("rank").to_numpy(), BUCKETS) - 1),
        "leaked": ranks.column("leaked").fill_null(False),
    }
    flags = {part: pa.array(inside) for part, inside in slices.flags(ranks).items()}
    return pa.table({**columns, **flags}).combine_chunks()


def _joint(own: pa.Table, other: pa.Table) -> dict[str, list[list[int]]] | None:
    """Count users by both buckets, of each slice; None when they are not the same users."""
    if not own.column("user_id").equals(other.column("user_id")):
        return None
    cells = own.column("bucket").to_numpy() * BUCKETS + other.column("bucket").to_numpy()
    unseen = ~(own.column("leaked").to_numpy() | other.column("leaked").to_numpy())
    return {
        part: np.bincount(cells[unseen & own.column(part).to_numpy()], minlength=BUCKETS**2)
        .reshape(BUCKETS, BUCKETS)
        .tolist()
        for part in PARTS
    }
