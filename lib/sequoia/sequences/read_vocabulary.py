"""The vocabulary in a task, read once per process from the files of a pinned snapshot."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.local_files import local_copy
from sequoia.modelling.item_index import COLUMNS, ItemIndex
from sequoia.storage import locate

NUMBERS = tuple(name for name in COLUMNS if name != "item")


@lru_cache(maxsize=2)
def read_vocabulary(files: tuple[str, ...], *, names: bool = True) -> ItemIndex:
    """Read the vocabulary's files; without names it takes 20 bytes an item."""
    columns = list(COLUMNS if names else NUMBERS)
    return ItemIndex(
        pa.concat_tables(pq.ParquetFile(local_copy(locate(path))).read(columns=columns) for path in files)
    )
