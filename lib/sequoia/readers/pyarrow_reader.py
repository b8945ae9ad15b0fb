"""Row groups through pyarrow alone: no Petastorm needed, any pyarrow will do."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.local_files import local_copy
from sequoia.readers.row_groups import AHEAD, WORKERS, RowGroup, Tables
from sequoia.storage import locate


def read_row_groups(groups: Sequence[RowGroup], wanted: Iterator[int], columns: Sequence[str]) -> Tables:
    """Yield the wanted groups in their order."""
    pool = ThreadPoolExecutor(WORKERS)
    ahead: deque[Future[pa.Table]] = deque()
    try:
        while True:
            for number in islice(wanted, AHEAD - len(ahead)):
                ahead.append(pool.submit(_read, groups[number], columns))
            if not ahead:
                return
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(group: RowGroup, columns: Sequence[str]) -> pa.Table:
    with pq.ParquetFile(local_copy(locate(group.path)), memory_map=True) as file:
        return file.read_row_group(group.number, columns=list(columns), use_threads=False)
