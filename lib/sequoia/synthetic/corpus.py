"""The whole corpus: for each category its event files and its metadata, made in parts by several processes.

Each user is generated from (seed, user number) alone, so time grows with the events, memory only with the
block and the number of a category's items, and the bytes are the same for any number of processes. A gzip
file has a member a part: one stream for whoever reads it, and no way to begin in its middle.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from sequoia.errors import UserError
from sequoia.synthetic.category_events import event_files
from sequoia.synthetic.parts import FilePart, Maker, Task, metadata_name, tasks_of
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.summary import Account, CorpusSummary, FileFormat, FileSummary

AHEAD = 2  # parts that each process may be ahead of the writing: bounds the memory

Progress = Callable[[int, int], None]


def write_corpus(
    folder: Path, settings: CorpusSettings, *, progress: Progress | None = None
) -> CorpusSummary:
    """Write all files into a folder, the same lines for the same settings, and return what was written.

    progress is called with (steps done, steps in all). Raises UserError when folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, and the corpus needs a folder: name another path")
    folder.mkdir(parents=True, exist_ok=True)
    tasks = tasks_of(settings)
    accounts: dict[str, Account] = {}
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for done, parts in enumerate(_made(settings, tasks), start=1):
            for part in parts:
                if part.file not in files:
                    files[part.file] = stack.enter_context(_complete_or_gone(folder / part.file))
                    accounts[part.file] = part.account
                else:
                    accounts[part.file].join(part.account)
                files[part.file].write(part.text)
            if progress is not None:
                progress(done, len(tasks))
    return _summary(settings, accounts)


def _made(settings: CorpusSettings, tasks: list[Task]) -> Iterator[list[FilePart]]:
    """Yield what the tasks make, in their order."""
    processes = min(settings.processes or len(os.sched_getaffinity(0)), len(tasks))
    if processes == 1:
        yield from map(Maker(settings).make, tasks)
        return
    # Not forked: the caller may have threads of Spark's and Arrow's, whose locks a fork would copy.
    started = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, started, _start, (settings,)) as pool:
        waiting: deque[Future[list[FilePart]]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_make, task))
                if len(waiting) > AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_MAKERS: list[Maker] = []  # of this process, where it is one of the pool


def _start(settings: CorpusSettings) -> None:
    _MAKERS[:] = [Maker(settings)]


def _make(task: Task) -> list[FilePart]:
    return _MAKERS[0].make(task)


@contextmanager
def _complete_or_gone(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that has its name when all went well and is not there otherwise."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
    except BaseException:
        part.unlink()
        raise
    part.replace(path)


def _summary(settings: CorpusSettings, accounts: dict[str, Account]) -> CorpusSummary:
    files: list[FileSummary] = []
    for category in settings.categories:
        named: list[tuple[str, FileFormat]]
        named = [(file.name, file.format) for file in event_files(settings, category)]
        named.append((metadata_name(settings, category), "metadata"))
        files += [accounts[name].summary(name, category, form) for name, form in named if name in accounts]
    # The first event file of a category holds all its events, and every user has a home category.
    main = {file.category: file for file in reversed(files) if file.format != "metadata"}.values()
    return CorpusSummary(
        files=files,
        users=settings.users,
        items=sum(file.items for file in main),
        interactions=sum(file.kept for file in main),
    )
