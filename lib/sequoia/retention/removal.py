"""One thing that may go: what it is, how old, how large, and how it is removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sequoia.storage import Location, is_local, relative_to, remove

LEAVING = ".leaving-"  # prefix of a folder that is being removed


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Something that nothing needs; `size` in bytes, None where it cannot be known."""

    kind: str
    name: str
    age_days: float
    size: int | None
    remove: Callable[[], object]


def path_removal(kind: str, path: Location, workspace: Location, now: datetime) -> Removal:
    """Return the removal of a file or of a folder with all it holds."""
    name = relative_to(path, workspace)
    return Removal(
        kind=kind, name=name, age_days=age_of(path, now), size=size_of(path), remove=lambda: delete(path)
    )


def age_of(path: Location, now: datetime) -> float:
    """Return the days since the newest change of a file, or of anything in a folder."""
    newest = max(entry.stat().st_mtime for entry in [path, *_files(path)])
    return (now - datetime.fromtimestamp(newest, UTC)).total_seconds() / 86400


def size_of(path: Location) -> int:
    """Return the bytes of a file, or of the files of a folder."""
    return sum(file.stat().st_size for file in _files(path)) if path.is_dir() else path.stat().st_size


def _files(path: Location) -> list[Location]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []


def delete(path: Location) -> None:
    """Remove a file, or a folder with all it holds."""
    if not is_local(path) or not path.is_dir():
        remove(path)
        return
    # Half a model folder must not pass for one: the name goes first, and a killed clean leaves scratch.
    leaving = path.with_name(f"{LEAVING}{path.name.removeprefix(LEAVING)}")
    if path != leaving:
        shutil.rmtree(leaving, ignore_errors=True)
        path.rename(leaving)
    shutil.rmtree(leaving)
