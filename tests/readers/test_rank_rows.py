"""Both readers give the same rows of every step, ahead of time, on and on through the epochs."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sequoia.readers.ahead import ahead
from sequoia.readers.plan import plan_epoch
from sequoia.readers.rank_rows import Position, Share, StepRows, rank_rows
from sequoia.readers.row_groups import RowGroup, choose_reader, find_row_groups, mark_of, told
from sequoia.tables.snapshot_file import DataFile

READERS = ("petastorm", "pyarrow")
ROWS, EPOCHS, BATCH = (23, 8, 41), 3, 10


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> list[RowGroup]:
    """Write files of several row groups; row i of all holds [i, 2 i, 3 i]."""
    folder, files, first = tmp_path_factory.mktemp("rows #1 of ?"), [], 0
    for number, rows in enumerate(ROWS):
        lists = [[row, 2 * row, 3 * row] for row in range(first, first + rows)]
        path = folder / f"part-{number}.parquet"
        table = pa.table({"items": pa.array(lists, pa.list_(pa.int32())), "other": [0] * rows})
        pq.write_table(table, path, row_group_size=9)
        files.append(DataFile(path=str(path), rows=rows))
        first += rows
    return find_row_groups(files)


def steps(
    groups: list[RowGroup], reader: str, rank: int = 0, size: int = 1, start: Position | None = None
) -> Generator[StepRows, None, None]:
    plan_of = partial(_plan, [group.rows for group in groups])
    share = Share(plan_of=plan_of, rank=rank, size=size, start=start or Position(), epochs=EPOCHS)
    return rank_rows(share, groups, ["items"], choose_reader(reader))


def _plan(rows: list[int], epoch: int) -> object:
    return plan_epoch(rows, lanes=4, batch_size=BATCH, seed=5, epoch=epoch)


def test_row_groups_are_found_and_told(groups: list[RowGroup]) -> None:
    assert [group.rows for group in groups] == [9, 9, 5, 8, 9, 9, 9, 9, 5]
    assert [RowGroup(*values) for values in told(groups)] == groups
    with pytest.raises(RuntimeError, match="has 23 rows, the table's log promises 24"):
        find_row_groups([DataFile(path=groups[0].path, rows=24)])


@pytest.mark.parametrize("reader", READERS)
def test_every_epoch_has_every_row_once_in_another_order(groups: list[RowGroup], reader: str) -> None:
    read: dict[int, list[int]] = {epoch: [] for epoch in range(EPOCHS)}
    for step in steps(groups, reader):
        items = step.columns["items"]
        assert (items == items[:, :1] * [1, 2, 3]).all()
        assert (step.step, step.steps) == (step.step, -(-sum(ROWS) // BATCH))
        read[step.epoch] += items[:, 0].tolist()
    assert all(sorted(rows) == [*range(sum(ROWS))] for rows in read.values())
    assert read[0] != read[1] != read[2]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_readers_agree_to_the_row_and_the_ranks_with_one(groups: list[RowGroup], size: int) -> None:
    alone = list(steps(groups, "pyarrow"))
    for reader in READERS:
        ranks = [steps(groups, reader, rank, size) for rank in range(size)]
        for whole, *parts in zip(alone, *ranks, strict=True):
            rows = [part.columns["items"] for part in parts if len(part.places)]
            assert (np.concatenate(rows) == whole.columns["items"]).all()
            assert (np.concatenate([part.places for part in parts]) == whole.places).all()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("at", [Position(epoch=1, step=3), Position(epoch=2, step=7), Position(epoch=3)])
def test_goes_on_in_the_middle(groups: list[RowGroup], reader: str, at: Position) -> None:
    later = [step for step in steps(groups, reader) if (step.epoch, step.step) >= (at.epoch, at.step)]
    resumed = list(steps(groups, reader, start=at))
    assert len(resumed) == len(later)
    for one, other in zip(resumed, later, strict=True):
        assert (one.columns["items"] == other.columns["items"]).all()


@pytest.mark.parametrize("reader", READERS)
def test_closing_ends_the_threads(groups: list[RowGroup], reader: str) -> None:
    before = set(threading.enumerate())
    reading = ahead(steps(groups, reader), 2)
    next(reading)
    assert set(threading.enumerate()) > before
    reading.close()
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_gone_is_told(groups: list[RowGroup], reader: str, tmp_path: Path) -> None:
    gone = [RowGroup(str(tmp_path / "gone.parquet"), 0, 9)]
    with pytest.raises(Exception, match=r"gone\.parquet"):
        list(ahead(steps(gone, reader), 2))


def test_works_ahead_as_far_as_it_may() -> None:
    made = []

    def count() -> Generator[int, None, None]:
        for number in range(20):
            made.append(number)
            yield number

    numbers = ahead(count(), 3)
    assert next(numbers) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert made == [*range(5)]  # the one taken, three that wait, and one that finds no room
    assert list(numbers) == [*range(1, 20)]


def test_the_mark_of_a_table_is_of_its_files_names_and_groups_wherever_they_lie() -> None:
    groups = [RowGroup("/data/a.parquet", 0, 9), RowGroup("/data/a.parquet", 1, 5)]
    moved = [RowGroup("s3://shop/a.parquet", 0, 9), RowGroup("s3://shop/a.parquet", 1, 5)]
    assert mark_of(groups) == mark_of(moved)
    others = ([*groups[:1], RowGroup("/data/a.parquet", 1, 6)], groups[:1], groups[::-1])
    others += ([RowGroup("/data/b.parquet", 0, 9), groups[1]],)
    assert len({mark_of(groups), *map(mark_of, others)}) == 5
