"""The sequences stage: k-core, order, splits, sessions, vocabulary and training rows.

Reads `interactions`, `items` and the four indexes; writes `kcore`, `sequences`, `sessions`, `vocabulary` and
`training`. All checks that can refuse come before the first write.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sequoia.buckets.arrays import scratch_folder
from sequoia.buckets.pieces import cover
from sequoia.buckets.shuffle import Report, call_tasks
from sequoia.index.counted import FIRST_ID
from sequoia.index.labels import LABELS
from sequoia.ingest.pieces import interaction_pieces
from sequoia.road.stage import Context, StageResult
from sequoia.sequences.core import Core, find_core
from sequoia.sequences.encode import Encoding, encode_piece, number_items
from sequoia.sequences.histories import Cuts
from sequoia.sequences.piece_rows import PieceRows, write_piece
from sequoia.sequences.refusals import check_core, check_days, check_index
from sequoia.sequences.time_cuts import choose_cuts, count_days, sum_days
from sequoia.sequences.training_rows import write_shard
from sequoia.sequences.vocabulary import leave_events, leave_rows, write_vocabulary
from sequoia.tables.parts import Part

WRITTEN = ("sequences", "sessions", "vocabulary", "training")


def run(context: Context) -> StageResult:
    """Write the tables; raises UserError for an empty core, an old index, or an empty time span."""
    with scratch_folder(context.config.workspace_path, context.run_id, "sequences") as folder:
        return Sequencing(context, folder).run()


class Sequencing:
    """One run of the stage: the steps, each a job of a task for every piece."""

    def __init__(self, context: Context, folder: str) -> None:
        self._context, self._folder = context, folder
        self._settings = context.config.sequences
        self._pieces = interaction_pieces(context, folder)
        self._ranges = cover(list(self._pieces)) if self._pieces else []
        self._seconds: dict[str, float] = {}
        tables = context.tables
        for key in ("item", "user"):
            tables.check_made_from(f"{key}_index", ["interactions"])
        self._index = {
            key: tables.files(f"{key}_index", written_by="index") for key in ("item", "user", *LABELS)
        }

    def run(self) -> StageResult:
        """Encode, find the core, cut, and write; the tables are committed at the end."""
        tables = self._context.tables
        with self._timed("encode"):
            items, numbered, pieces = self._encode()
        with self._timed("kcore"):
            core = self._find_core(numbered, pieces)
        with self._timed("write"):
            cuts = self._choose_cuts(core, pieces)
            before = {table: tables.begin(table) for table in WRITTEN}
            parts, written = self._write(core, cuts, items, pieces)
        rounds = [{"k": self._settings.k, "round": at, **vars(one)} for at, one in enumerate(core.rounds)]
        tables.replace_rows("kcore", rounds)
        for table in WRITTEN:
            tables.publish(table, parts[table], on=before[table])
        return self._result(core, cuts, pieces, written, parts)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._seconds[step] = round(time.perf_counter() - started, 3)

    def _do(self, *calls: partial[Any]) -> list[Any]:
        return call_tasks(self._context.spark, calls)

    def _encode(self) -> tuple[str, int, list[Report]]:
        (items,) = self._do(partial(number_items, self._index["item"], self._folder))
        tasks = [
            Encoding(
                range=span,
                piece=piece,
                users=tuple(self._index["user"]),
                items=items["items"],
                ties=self._settings.ties,
                first_only=self._settings.repeats == "first",
                seed=self._context.config.seed,
                folder=self._folder,
            )
            for span, piece in zip(self._ranges, self._pieces.values(), strict=True)
        ]
        pieces = self._do(*(partial(encode_piece, task) for task in tasks))
        with_user = sum(piece["with_user"] for piece in pieces)
        lost = sum(piece["lost"] for piece in pieces)
        check_index(indexed=with_user - lost, interactions=with_user)
        return items["items"], items["count"], pieces

    def _find_core(self, items: int, pieces: list[Report]) -> Core:
        settings = self._settings
        core = find_core(
            self._do, pieces, items=items, k=settings.k, max_rounds=settings.max_rounds, folder=self._folder
        )
        check_core(core, settings)
        first, last = core.rounds[0], core.rounds[-1]
        self._context.say(f"{settings.k}-core: {last.interactions:,} of {first.interactions:,} interactions")
        return core

    def _choose_cuts(self, core: Core, pieces: list[Report]) -> Cuts:
        counted = self._do(
            *(
                partial(count_days, piece, users, core.items, self._folder)
                for piece, users in zip(pieces, core.users, strict=True)
            )
        )
        (days,) = self._do(partial(sum_days, [one["days"] for one in counted]))
        histogram = {int(day): int(events) for day, events in days}
        check_days(histogram, self._settings)
        return choose_cuts(
            histogram, valid_share=self._settings.valid_share, test_share=self._settings.test_share
        )

    def _write(
        self, core: Core, cuts: Cuts, items: str, pieces: list[Report]
    ) -> tuple[dict[str, list[Part]], list[Report]]:
        tables, folder = self._context.tables, self._folder
        (rows,) = self._do(partial(leave_rows, items, core.items, folder))
        tasks = [
            PieceRows(
                range=span,
                piece=piece,
                users=users,
                core_items=core.items,
                items=items,
                rows=rows["rows"],
                seed=self._context.config.seed,
                cuts=cuts,
                settings=self._settings,
                folder=folder,
                targets={table: tables.target(table) for table in ("sequences", "sessions")},
            )
            for span, piece, users in zip(self._ranges, pieces, core.users, strict=True)
        ]
        written = self._do(*(partial(write_piece, task) for task in tasks))
        counts = [one["counts"] for one in written]
        (events,) = self._do(partial(leave_events, counts, FIRST_ID + rows["count"], folder))
        vocabulary, training = (
            self._vocabulary(items, rows["rows"], events["events"]),
            self._training(written),
        )
        both = self._do(*vocabulary, *training)
        found = {
            "vocabulary": both[: len(vocabulary)],
            "training": [part for part in both[len(vocabulary) :] if part],
            **{table: [one[table] for one in written if one[table]] for table in ("sequences", "sessions")},
        }
        return {table: [Part(**part) for part in parts] for table, parts in found.items()}, written

    def _vocabulary(self, items: str, rows: str, events: str) -> list[partial[Report]]:
        tables = self._context.tables
        products = tables.files("items") if tables.exists("items") else []
        return [
            partial(
                write_vocabulary,
                part,
                items=items,
                rows=rows,
                events=events,
                products=products,
                labels={label: self._index[label] for label in LABELS},
                target=tables.target("vocabulary"),
            )
            for part in self._index["item"]
        ]

    def _training(self, written: list[Report]) -> list[partial[Report | None]]:
        settings = self._settings
        return [
            partial(
                write_shard,
                [one["training"] for one in written],
                shard,
                window=settings.max_length + 1,
                seed=self._context.config.seed,
                target=self._context.tables.target("training"),
            )
            for shard in range(settings.shards)
        ]

    def _result(
        self,
        core: Core,
        cuts: Cuts,
        pieces: list[Report],
        written: list[Report],
        parts: dict[str, list[Part]],
    ) -> StageResult:
        """Check that every interaction is either in a sequence or counted as removed, and say so."""
        rows_in = sum(piece["rows"] for piece in pieces)
        with_user = sum(piece["with_user"] for piece in pieces)
        first, last = core.rounds[0], core.rounds[-1]
        removed = {
            "without_user": rows_in - with_user,
            "repeats": with_user - first.interactions,
            "kcore": first.interactions - last.interactions,
            "max_events": sum(one["cut_events"] for one in written),
        }
        kept = sum(one["kept"] for one in written)
        sequences = sum(part.rows for part in parts["sequences"])
        assert (last.users, rows_in) == (sequences, kept + sum(removed.values())), (
            last,
            rows_in,
            kept,
            removed,
        )
        details: dict[str, Any] = {
            "kcore": {"k": self._settings.k, "rounds": len(core.rounds) - 1, **vars(last)},
            "sequences": sequences,
            "sessions": sum(part.rows for part in parts["sessions"]),
            "training_rows": sum(one["training_rows"] for one in written),
            "cut_histories": sum(one["cut_histories"] for one in written),
            "time_cuts": list(cuts),
            "removed": removed,
            "seconds": self._seconds,
        }
        return StageResult(rows_in=rows_in, rows_out=sequences, details=details)
