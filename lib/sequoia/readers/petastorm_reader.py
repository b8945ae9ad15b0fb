"""Row groups through Petastorm: the only file that knows it.

Petastorm opens the files, knows their row groups, and keeps its pool of reading threads for a whole training.
Ours are three of its parts, which it lets one replace: which row groups are read in which order (by its own
it would shuffle and shard them, and read the same ones in every epoch), the worker (which hands over Arrow's
buffers; Petastorm's goes through pandas, an object for every row), and the order in which results come.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.local_files import local_copy
from sequoia.readers.row_groups import AHEAD, WORKERS, RowGroup, Tables
from sequoia.storage import locate

with warnings.catch_warnings():
    # Petastorm calls names that pandas, pyarrow and numpy have deprecated, here and when a reader is opened.
    warnings.simplefilter("ignore")
    from petastorm.arrow_reader_worker import ArrowReaderWorker
    from petastorm.fs_utils import get_filesystem_and_path_or_paths
    from petastorm.reader import Reader
    from petastorm.workers_pool import EmptyResultError, thread_pool
    from petastorm.workers_pool.ventilator import Ventilator

# Its threads look for work a thousand times a second, which takes Python's lock from the training thread: an
# epoch of a small model under Horovod is a fifth longer on two cores. Work that comes wakes them anyway.
thread_pool.IO_TIMEOUT_INTERVAL_S = 0.05

Pieces = dict[tuple[str, int], int]


def read_row_groups(groups: Sequence[RowGroup], wanted: Iterator[int], columns: Sequence[str]) -> Tables:
    """Yield the wanted groups in their order."""
    if not groups:
        return
    paths = {path: os.fspath(local_copy(locate(path))) for path in {group.path for group in groups}}
    places = ((paths[groups[number].path], groups[number].number) for number in wanted)
    with _opened(list(paths.values()), places, columns) as reader:
        waiting: dict[int, pa.Table] = {}
        turn = 0
        for number, table in reader:
            waiting[number] = table
            while turn in waiting:
                yield waiting.pop(turn)
                turn += 1
                reader.ventilator.send_next()


@contextmanager
def _opened(
    paths: list[str], places: Iterator[tuple[str, int]], columns: Sequence[str]
) -> Iterator[_PlannedReader]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # As paths: Petastorm takes what follows a # or ? in a URL for no part of the file's name.
        filesystem, _ = get_filesystem_and_path_or_paths(["file:///"])
        reader = _PlannedReader(places, filesystem, paths, [f"^{column}$" for column in columns])
    with reader:
        yield reader


class _PlannedReader(Reader):  # type: ignore[misc]
    """Petastorm's reader, that reads (path, number of the row group) after (path, number)."""

    def __init__(
        self, places: Iterator[tuple[str, int]], filesystem: Any, paths: Any, columns: list[str]
    ) -> None:
        self._places = places
        self._pieces: Pieces = {}
        super().__init__(
            filesystem,
            paths,
            schema_fields=columns,
            worker_class=_ArrowWorker,
            reader_pool=thread_pool.ThreadPool(WORKERS, AHEAD),
            is_batched_reader=True,
        )

    def _filter_row_groups(self, dataset: Any, row_groups: Any, *_: Any) -> tuple[list[int], None]:
        self._pieces = {(piece.path, piece.row_group): index for index, piece in enumerate(row_groups)}
        return [*range(len(row_groups))], None

    def _create_ventilator(self, *_: Any) -> _Planned:
        indexes = (self._pieces[place] for place in self._places)
        return _Planned(self._workers_pool.ventilate, indexes)


class _Planned(Ventilator):  # type: ignore[misc]
    """Sends the pool one row group for every one that has been handed over, AHEAD of them at first."""

    def __init__(self, ventilate: Any, indexes: Iterator[int]) -> None:
        super().__init__(ventilate)
        self._numbered = enumerate(indexes)
        self._ended = False

    def start(self) -> None:
        """Send the first ones."""
        for _ in range(AHEAD):
            self.send_next()

    def send_next(self) -> None:
        """Send one more, where there is one."""
        for number, index in self._numbered:
            self._ventilate_fn(index, number)
            return
        self._ended = True

    def processed_item(self) -> None:
        """Wait with the next until this one has had its turn."""

    def completed(self) -> bool:
        """Say whether no more will be sent."""
        return self._ended

    def stop(self) -> None:
        """Send no more."""
        self._ended = True


class _ArrowWorker(ArrowReaderWorker):  # type: ignore[misc]
    """Publishes (number in the order asked for, table)."""

    @staticmethod
    def new_results_queue_reader() -> _NumberedTables:
        return _NumberedTables()

    def process(self, index: int, number: int) -> None:
        """Read one row group."""
        piece = self._split_pieces[index]
        columns = [field.name for field in self._schema.fields.values()]
        with pq.ParquetFile(piece.path, memory_map=True) as file:
            self.publish_func(
                (number, file.read_row_group(piece.row_group, columns=columns, use_threads=False))
            )


class _NumberedTables:
    batched_output = True

    def read_next(self, pool: Any, schema: Any, ngram: Any) -> tuple[int, pa.Table]:
        try:
            found: tuple[int, pa.Table] = pool.get_results()
        except EmptyResultError:
            raise StopIteration from None
        return found
