"""A small training job without Spark: Parquet files as the training table's snapshot would list them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.tables.snapshot_file import DataFile, Snapshot

NUM_ITEMS, NUM_FILES, LENGTH = 12, 4, 7
HOUR = 3_600_000  # milliseconds
FAST = [
    *("training.epochs=3", "training.lanes=4", "training.batch_size=16", "training.patience=10"),
    *(
        "models.sasrec.width=16",
        "models.sasrec.blocks=1",
        "models.sasrec.dropout=0.0",
        "models.sasrec.max_length=6",
    ),
]


def staircase(first: int, length: int) -> list[int]:
    """Return vocabulary rows that follow one another: row, row + 1, ... around the 12 items."""
    return [2 + (first + step) % NUM_ITEMS for step in range(length)]


def write_training_files(folder: Path) -> Snapshot:
    """Write staircases of several lengths as a training table; files differ in size."""
    files = []
    for number in range(NUM_FILES):
        users = range(15 + 3 * number)
        rows = [staircase(user * 5 + number, 3 + user % 5) for user in users]
        padded = [[0] * (LENGTH - len(row)) + row for row in rows]
        path = folder / f"shard={number}" / "part.parquet"
        path.parent.mkdir(parents=True)
        table = {
            "user_id": list(users),
            "items": pa.array(padded, type=pa.list_(pa.int32())),
            "times": [[item * item * HOUR for item in row] for row in padded],
            "ratings": pa.array([[item % 6 for item in row] for row in padded], pa.list_(pa.float32())),
        }
        pq.write_table(pa.table(table), path)
        files.append(DataFile(path=str(path), rows=len(rows)))
    return Snapshot(table="training", version=3, files=tuple(files))
