"""Rows of 51 events that one process reads a second: `reader_rates.py FOLDER`; prints a line of JSON.

sequoia: rank_rows through both of its readers; petastorm: its own BatchedDataLoader; pyarrow: row groups to
arrays, in their order, without steps. Each in batches of 256, shuffled but for the last, from a warm cache.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from petastorm import make_batch_reader
from petastorm.pytorch import BatchedDataLoader

from sequoia.readers.plan import EpochPlan, plan_epoch
from sequoia.readers.rank_rows import Position, Share, matrix, rank_rows
from sequoia.readers.row_groups import choose_reader, find_row_groups
from sequoia.tables.snapshot_file import DataFile

FILES, ROWS, GROUP, LENGTH, ITEMS, BATCH, EPOCHS = 4, 250_000, 20_000, 51, 1_000_000, 256, 3


def main() -> None:
    """Write the rows, read them by each way in turn, and once more: the better time counts."""
    files = write(Path(sys.argv[1]))
    ways: dict[str, Callable[[], Iterator[int]]] = {
        "sequoia_rows_s": partial(ours, files, "petastorm"),
        "sequoia_pyarrow_rows_s": partial(ours, files, "pyarrow"),
        "petastorm_rows_s": partial(petastorm, files),
        "pyarrow_rows_s": partial(bare, files),
    }
    found: dict[str, float] = dict.fromkeys(ways, 0.0)
    for _ in range(2):
        for name, way in ways.items():
            begin = time.perf_counter()
            rows = sum(way())
            found[name] = max(found[name], rows / (time.perf_counter() - begin))
    print(json.dumps(found), flush=True)


def write(folder: Path) -> list[DataFile]:
    """Write a million rows as the training table has them: of geometric lengths, padded on the left."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, files = np.random.default_rng(0), []
    for number in range(FILES):
        path = folder / f"rows-{number}.parquet"
        if not path.is_file():
            items = (ITEMS * rng.random((ROWS, LENGTH)) ** 2 + 2).astype(np.int32)
            items[np.arange(LENGTH) < LENGTH - rng.geometric(0.1, ROWS)[:, None] - 1] = 0
            lists = pa.ListArray.from_arrays(np.arange(ROWS + 1, dtype=np.int32) * LENGTH, items.ravel())
            partial_path = path.with_suffix(".partial")
            pq.write_table(pa.table({"items": lists}), partial_path, row_group_size=GROUP, compression="zstd")
            partial_path.rename(path)
        files.append(DataFile(path=str(path), rows=ROWS))
    return files


def ours(files: list[DataFile], reader: str) -> Iterator[int]:
    """Read the steps of a single rank."""
    groups = find_row_groups(files)
    rows = [group.rows for group in groups]

    def plan_of(epoch: int) -> EpochPlan:
        return plan_epoch(rows, lanes=8, batch_size=BATCH, seed=0, epoch=epoch)

    share = Share(plan_of=plan_of, rank=0, size=1, start=Position(), epochs=EPOCHS)
    for step in rank_rows(share, groups, ["items"], choose_reader(reader)):
        yield len(step.columns["items"])


def petastorm(files: list[DataFile]) -> Iterator[int]:
    """Read the batches of Petastorm's loader."""
    urls = [Path(file.path).as_uri() for file in files]
    with (
        make_batch_reader(
            urls, schema_fields=["items"], reader_pool_type="thread", workers_count=2, num_epochs=EPOCHS
        ) as reader,
        BatchedDataLoader(reader, batch_size=BATCH, shuffling_queue_capacity=8 * GROUP) as loader,
    ):
        for batch in loader:
            yield len(batch["items"])


def bare(files: list[DataFile]) -> Iterator[int]:
    """Read row groups and nothing else."""
    for file in files * EPOCHS:
        opened = pq.ParquetFile(file.path)
        for group in range(opened.num_row_groups):
            yield len(matrix(opened.read_row_group(group, columns=["items"]).column("items")))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
