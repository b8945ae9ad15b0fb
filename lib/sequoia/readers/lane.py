"""One lane of an epoch read through Petastorm: the only file that knows Petastorm.

Petastorm gets the pinned snapshot's files in the planned order, one worker and no shuffling of its own, so
rows come back in a known order; the plan's shuffle is applied per file. Its row counts are checked against
the log.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sequoia.local_files import local_copy
from sequoia.readers.plan import EpochPlan
from sequoia.storage import locate
from sequoia.tables.snapshot_file import DataFile

Columns = dict[str, NDArray[np.generic]]


class LaneReader:
    """Rows of one lane in planned order, from any step on."""

    def __init__(
        self,
        plan: EpochPlan,
        lane: int,
        files: Sequence[DataFile],
        columns: Sequence[str],
        *,
        start_step: int,
    ) -> None:
        self._plan = plan
        self._lane = lane
        pieces = (piece for step in range(start_step, plan.steps) for piece in plan.pieces(lane, step))
        needed = list(dict.fromkeys(piece.file for piece in pieces))
        self._contents = _read_files(plan, needed, files, columns) if needed else iter(())
        self._loaded: dict[int, Columns] = {}

    def take(self, step: int) -> list[Columns]:
        """Return the lane's part of a step; steps must be asked for in ascending order."""
        pieces = self._plan.pieces(self._lane, step)
        for piece in pieces:
            while piece.file not in self._loaded:
                # Files before this one have been served in full: let their memory go.
                self._loaded = {file: data for file, data in self._loaded.items() if file == pieces[0].file}
                file, data = next(self._contents)
                self._loaded[file] = data
        return [
            {name: values[piece.start : piece.stop] for name, values in self._loaded[piece.file].items()}
            for piece in pieces
        ]


def _read_files(
    plan: EpochPlan, numbers: list[int], files: Sequence[DataFile], columns: Sequence[str]
) -> Iterator[tuple[int, Columns]]:
    with warnings.catch_warnings():
        # Petastorm calls names that pandas, pyarrow and numpy have deprecated, once per row group.
        warnings.simplefilter("ignore")
        from petastorm import make_batch_reader

        reader = make_batch_reader(
            [f"file://{local_copy(locate(files[number].path))}" for number in numbers],
            schema_fields=[f"^{column}$" for column in columns],
            reader_pool_type="thread",
            workers_count=1,
            results_queue_size=2,
            shuffle_row_groups=False,
            num_epochs=1,
        )
        with reader:
            groups = iter(reader)
            for number in numbers:
                yield number, _whole_file(plan, number, groups, columns, files[number])


def _whole_file(
    plan: EpochPlan, number: int, groups: Iterator[object], columns: Sequence[str], file: DataFile
) -> Columns:
    parts: list[object] = []
    count = 0
    while count < file.rows:
        group = next(groups, None)
        if group is None:
            break
        parts.append(group)
        count += len(getattr(group, columns[0]))
    if count != file.rows:
        raise RuntimeError(
            f"Petastorm read {count} rows of {file.path}, the table's log promises {file.rows}"
        )
    order = plan.order(number)
    return {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in columns}
