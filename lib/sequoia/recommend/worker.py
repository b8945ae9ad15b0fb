"""What a task does with a share of the users: the top items of each, written to a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from sequoia.buckets.shuffle import Report
from sequoia.local_files import local_copy
from sequoia.modelling.histories import EVENT_FEATURES
from sequoia.modelling.recommender import Recommender, open_recommender
from sequoia.recommend.device import device_of_task
from sequoia.recommend.histories import Share, read_histories
from sequoia.recommend.lists import histories_of, kept_lists
from sequoia.recommend.samples import Drawn
from sequoia.settings import Device
from sequoia.storage import Location
from sequoia.tables.content import Content, content_of, sum_contents
from sequoia.tables.parts import Target, write_groups

FOUND = ("user", "items", "scores", "basis")
# What makes rows the same ones, whoever wrote them and when.
COMPARED = (*FOUND, "registered_model", "version", "interactions_version")


@dataclass(frozen=True, kw_only=True)
class Recommending:
    """The model's folder, the items for each user, what all rows say of their origin, and users to show."""

    folder: Location
    k: int
    hide_seen: bool
    device: Device
    origin: Mapping[str, Any]
    samples: int
    seed: int
    target: Target


def write_recommendations(share: Share, what: Recommending) -> Report | None:
    """Write the rows of a share's users; None when it has none.

    Reports the file, users by basis, the content of the COMPARED columns, and users to show.
    """
    users = _Users(what)
    rows = users.recommended(open_recommender(local_copy(what.folder), device_of_task(what.device)), share)
    first = next(rows, None)
    if first is None:
        return None
    alike = [*what.origin, "basis"]
    part = write_groups(chain([first], rows), what.target, dictionaries=alike)
    return {
        "part": part.to_json(),
        "basis": users.basis,
        "content": sum_contents(users.contents),
        "samples": users.drawn.told(),
    }


class _Users:
    """The rows of a share, made as they are written, with what is told of them."""

    def __init__(self, what: Recommending) -> None:
        self._what = what
        self.basis: Counter[str] = Counter()
        self.contents: list[Content] = []
        self.drawn = Drawn(limit=what.samples, seed=what.seed)

    def recommended(self, recommender: Recommender, share: Share) -> Iterator[pa.Table]:
        columns = recommender.event_columns
        for batch in read_histories(share, k=self._what.k, columns=columns):
            self.drawn.look_at(batch)
            rows = recommend_users(recommender, batch, self._what.k, hide=self._what.hide_seen)
            self.basis.update(rows["basis"].to_pylist())
            table = self._with_origin(rows)
            self.contents.append(content_of([table.select(COMPARED)]))
            yield table

    def _with_origin(self, rows: pa.RecordBatch) -> pa.Table:
        kinds = self._what.target.columns
        columns = {name: rows[name].cast(kinds.field(name).type) for name in FOUND}
        for name, value in self._what.origin.items():
            columns[name] = pa.repeat(pa.scalar(value, kinds.field(name).type), len(rows))
        return pa.table(columns)


def _known(batch: pa.RecordBatch) -> dict[str, pa.ListArray]:
    return {name: batch[name] for name in EVENT_FEATURES if name in batch.schema.names}


def recommend_users(recommender: Recommender, batch: pa.RecordBatch, k: int, *, hide: bool) -> pa.RecordBatch:
    """Recommend to users, (user, history of raw ids, oldest first); return (user, items, scores, basis)."""
    index = recommender.index
    found = recommender.recommend(histories_of(index, batch["history"], _known(batch)), k, hide=hide)
    kept_BK = found.best.rows_BK > 0
    columns = [
        batch["user"],
        kept_lists(index.items_of(found.best.rows_BK[kept_BK]), kept_BK),
        kept_lists(pa.array(found.best.scores_BK[kept_BK]), kept_BK),
        pa.array(np.where(found.known_B, "sequence", "popular").tolist(), pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(FOUND))
