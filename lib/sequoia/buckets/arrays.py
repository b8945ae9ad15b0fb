"""Columns that tasks leave each other: Arrow files in a folder of the run."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pyarrow as pa
from pyarrow import ipc

from sequoia.storage import Location, is_local, locate, remove, uri


def save(table: pa.Table, folder: str, name: str) -> str:
    """Write a table to <folder>/<name>.arrow and return its path; a task that runs again writes it again."""
    place = locate(folder) / f"{name}.arrow"
    place.parent.mkdir(parents=True, exist_ok=True)
    if is_local(place):
        scratch = place.parent / f".{name}.{uuid.uuid4().hex}.partial"
        with scratch.open("wb") as file:
            _write(table, file)
        scratch.replace(place)
    else:
        # An object store cannot rename, and shows an object when all of it has come.
        whole = pa.BufferOutputStream()
        _write(table, whole)
        place.write_bytes(whole.getvalue().to_pybytes())
    return uri(place)


def _write(table: pa.Table, sink: IO[bytes] | pa.NativeFile) -> None:
    whole = table.combine_chunks()
    with ipc.new_file(sink, whole.schema) as writer:
        writer.write_table(whole)


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
