"""Columns that tasks leave each other: Arrow files in a folder of the run."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import ipc

from sequoia.storage import Location, is_local, locate, remove, uri


def save(table: pa.Table, folder: str, name: str) -> str:
    """Write a table to <folder>/<name>.arrow and return its path; a task that runs again writes it again."""
    place = locate(folder) / f"{name}.arrow"
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = place.parent / f".{name}.{uuid.uuid4().hex}.partial"
    whole = table.combine_chunks()
    with scratch.open("wb") as file, ipc.new_file(file, whole.schema) as writer:
        writer.write_table(whole)
    scratch.replace(place)  # type: ignore[arg-type]  # both are local, or both are remote
    return uri(place)


def load(path: str) -> pa.Table:
    """Read what `save` wrote, in one piece; of a file of this machine only what is looked at is read."""
    place = locate(path)
    if is_local(place):
        return ipc.open_file(pa.memory_map(uri(place))).read_all()
    with place.open("rb") as file:
        return ipc.open_file(pa.py_buffer(file.read())).read_all()


@contextmanager
def scratch_folder(workspace: Location, run_id: str, stage: str) -> Iterator[str]:
    """Return a folder for the time of a stage, on storage that all machines see."""
    folder = workspace / "snapshots" / f".{stage}.{run_id}.{uuid.uuid4().hex[:8]}.partial"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield uri(folder)
    finally:
        remove(folder)
