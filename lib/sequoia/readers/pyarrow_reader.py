"""Row groups through pyarrow alone: no Petastorm needed, any pyarrow will do."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.local_files import local_copy
from sequoia.readers.row_groups import AHEAD, WORKERS, RowGroup, Tables
from sequoia.storage import locate


def read_row_groups(groups: Sequence[RowGroup], wanted: Iterator[int], columns: Sequence[str]) -> Tables:
    """Yield the wanted groups in their order."""
    pool = ThreadPoolExecutor(WORKERS)
    ahead: deque[Future[pa.Table]] = deque()
    path_of = lru_cache(maxsize=None)(lambda path: local_copy(locate(path)))
    try:
        while True:
            for number in islice(wanted, AHEAD - len(ahead)):
                group = groups[number]
                ahead.append(pool.submit(_read, path_of(group.path), group.number, columns))
            if not ahead:
                return
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(path: Path, number: int, columns: Sequence[str]) -> pa.Table:
    with pq.ParquetFile(path, memory_map=True) as file:
        return file.read_row_group(number, columns=list(columns), use_threads=False)
