"""The index stage: dense ids for items, users, categories and brands.

Reads `interactions` and `items`, writes `item_index`, `user_index`, `category_index` and `brand_index`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sequoia.buckets.arrays import scratch_folder
from sequoia.buckets.pieces import cover
from sequoia.buckets.shuffle import Report, call_tasks
from sequoia.buckets.sizes import bucket_count, bucket_range, grouped
from sequoia.errors import UserError
from sequoia.index.counted import FIRST_ID
from sequoia.index.labels import LABELS, count_labels, write_labels
from sequoia.index.users_and_items import (
    Span,
    count_span,
    merge_items,
    order_items,
    write_items,
    write_users,
)
from sequoia.ingest.pieces import interaction_pieces
from sequoia.road.stage import Context, StageResult
from sequoia.tables.parts import Part

KEYS = ("item", "user", *LABELS)


def run(context: Context) -> StageResult:
    """Bring the four indexes up to the data; ids do not change when the data did not."""
    with scratch_folder(context.config.workspace_path, context.run_id, "index") as folder:
        return Indexing(context, folder).run()


class Indexing:
    """One run of the stage: what is known at its start, and the steps, each a job of few tasks."""

    def __init__(self, context: Context, folder: str) -> None:
        tables = context.tables
        self._context, self._folder = context, folder
        self._pieces = interaction_pieces(context, folder)
        if not self._pieces:
            raise UserError("interactions holds 0 rows: let ingest read at least one event, then index again")
        self._before = {f"{key}_index": tables.begin(f"{key}_index") for key in KEYS}
        self._known = {key: tuple(tables.files(f"{key}_index")) for key in KEYS}
        self._cores = context.spark.sparkContext.defaultParallelism

    def run(self) -> StageResult:
        """Count, number and write; all four tables are committed at the end."""
        counted = self._count()
        users = self._write_users(counted)
        merged, items = self._write_items(counted)
        labels = self._write_labels()
        parts = {"user": users, "item": items, **{label: [Part(**labels[label]["part"])] for label in LABELS}}
        for key in KEYS:
            self._context.tables.publish(f"{key}_index", parts[key], on=self._before[f"{key}_index"])
        return self._result(counted, merged, labels)

    def _do(self, *work: partial[Any]) -> list[Any]:
        return call_tasks(self._context.spark, work)

    def _count(self) -> list[Report]:
        spans = [
            Span(range=whole, piece=piece, known=self._known["user"], folder=self._folder)
            for whole, piece in zip(cover(list(self._pieces)), self._pieces.values(), strict=True)
        ]
        reports = self._do(*(partial(count_span, span) for span in spans))
        return [report | {"span": span.range} for report, span in zip(reports, spans, strict=True)]

    def _write_users(self, counted: list[Report]) -> list[Part]:
        first = _next_id(counted)
        target = self._context.tables.target("user_index")
        work = []
        for report in counted:
            work.append(partial(write_users, report["users"], first, report["span"], target))
            first += report["new"]
        return [Part(**part) for part in self._do(*work)]

    def _write_items(self, counted: list[Report]) -> tuple[list[Report], list[Part]]:
        paths = [report["items"] for report in counted]
        buckets = bucket_count(sum(report["distinct"] for report in counted), self._cores)
        spans = [bucket_range(bucket, buckets) for bucket in range(buckets)]
        known = self._known["item"]
        merged = self._do(*(partial(merge_items, paths, span, known, self._folder) for span in spans))
        places = [report["items"] for report in merged]
        (ordered,) = self._do(partial(order_items, places, _next_id(merged), self._folder))
        target = self._context.tables.target("item_index")
        parts = self._do(
            *(
                partial(write_items, place, numbers, span, target)
                for place, numbers, span in zip(places, ordered["numbers"], spans, strict=True)
            )
        )
        return merged, [Part(**part) for part in parts]

    def _write_labels(self) -> dict[str, Report]:
        tables = self._context.tables
        files = tables.files("items") if tables.exists("items") else []
        counted = self._do(
            *(
                partial(count_labels, group, self._folder, str(place))
                for place, group in enumerate(grouped(files, self._cores))
            )
        )
        work = [
            partial(
                write_labels,
                [report[label] for report in counted],
                label,
                self._known[label],
                tables.target(f"{label}_index"),
            )
            for label in LABELS
        ]
        return dict(zip(LABELS, self._do(*work), strict=True))

    def _result(self, counted: list[Report], merged: list[Report], labels: dict[str, Report]) -> StageResult:
        of = {"user": counted, "item": merged, **{label: [labels[label]] for label in LABELS}}
        keys = {key: sum(report["keys"] for report in reports) for key, reports in of.items()}
        new = {key: sum(report["new"] for report in reports) for key, reports in of.items()}
        self._context.say(f"{keys['user']:,} users ({new['user']:,} new), {keys['item']:,} items")
        return StageResult(
            rows_in=sum(report["rows"] for report in counted),
            rows_out=sum(keys.values()),
            details={
                "users": keys["user"],
                "items": keys["item"],
                "categories": keys["category"],
                "brands": keys["brand"],
                "active": {
                    "users": sum(report["active"] for report in counted),
                    "items": sum(report["active"] for report in merged),
                },
                "new": new,
                "without_user": sum(report["without_user"] for report in counted),
            },
        )


def _next_id(reports: list[Report]) -> int:
    return 1 + max(FIRST_ID - 1, *(int(report["greatest"]) for report in reports))
