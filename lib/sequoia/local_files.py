"""Files of this machine for locations elsewhere: copies to read, places to write that are published whole.

For a local location nothing is copied: it is read where it is, and written beside its place and renamed.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING

from sequoia.errors import UserError
from sequoia.storage import Entry, Location, entries, is_local, remove, uri

if TYPE_CHECKING:
    from upath import UPath

FORGOTTEN_AFTER = 24 * 3600  # seconds; a copy of an older state may still be open for that long


@contextmanager
def replacing(target: Location, *, last: str | None = None) -> Iterator[Path]:
    """Yield a path of this machine to write a file or a folder to; it takes the target's place at the end.

    Nobody sees half of it: this machine's file systems rename. An object store gets the files one by one, the
    one named `last` after the others, so its presence says that a folder is complete. An error leaves the
    target as it was. The path is another one each time: two runs do not meet.
    """
    scratch = f".{target.name}.{uuid.uuid4().hex[:12]}.partial"
    parent = target.parent if is_local(target) else _cache() / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    _forget(parent.glob(f".{glob.escape(target.name)}.*.partial*"))  # of runs that were killed
    fresh = parent / scratch
    assert isinstance(fresh, Path)
    try:
        yield fresh
        if is_local(target):
            _put_in_place(fresh, target)
        else:
            publish(fresh, target, last=last)
    finally:
        remove(fresh)


def _put_in_place(fresh: Path, target: Path) -> None:
    if target.is_dir():
        old = target.with_name(f"{fresh.name}.old")
        target.rename(old)
        fresh.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(fresh, target)


def publish(source: Path, target: Location, *, last: str | None = None) -> None:
    """Make a remote file or folder the same as one of this machine; the file `last` goes last."""
    if is_local(target):
        return
    if source.is_file():
        target.fs.put_file(str(source), target.path)
        return
    present = entries(source)
    for entry in sorted(present, key=lambda entry: entry.relative == last):
        place = target / entry.relative
        target.fs.makedirs(place.parent.path, exist_ok=True)
        target.fs.put_file(str(entry.location), place.path)
    wanted = {entry.relative for entry in present}
    for old in entries(target):
        if old.relative not in wanted:
            old.location.unlink()


def replace_text(target: Location, text: str) -> None:
    """Write a file (UTF-8) and put it in place in one step; the folder is made when missing."""
    with replacing(target) as fresh:
        fresh.write_text(text, encoding="utf-8")


def workbench(location: Location) -> Path:
    """Return this machine's folder in which a remote one is made, always the same; a local one itself."""
    if is_local(location):
        return location
    return _cache() / "work" / _digest(uri(location)) / location.name


def fresh_workbench(location: Location) -> Path:
    """Return `workbench`: for a remote folder an empty one, a local one as it is or made."""
    bench = workbench(location)
    if not is_local(location):
        remove(bench)
    bench.mkdir(parents=True, exist_ok=True)
    return bench


def local_copy(location: Location) -> Path:
    """Return a path of this machine with the contents of a file or folder: itself, or a copy made once.

    All processes of a machine share the copy. One of an older state is forgotten after a day. Raises
    UserError when nothing is there.
    """
    if is_local(location):
        return location
    present = entries(location)
    if not present:
        raise UserError(f"{uri(location)} does not exist: run the stage that writes it again")
    state = _digest(json.dumps([[entry.relative, entry.stamp] for entry in present]))
    home = _cache() / "copies" / _digest(uri(location))
    copy = home / state / location.name
    with _locked(home):
        if not copy.exists():
            _forget(home.parent.glob("*/*/"))  # of all locations: one of a run is not asked for again
            _fetch(location, present, copy)
    os.utime(home / state)
    return copy


def _fetch(location: UPath, present: list[Entry], copy: Path) -> None:
    fresh = copy.with_name(f"{copy.name}.partial")
    remove(fresh)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    for entry in present:
        place = fresh if entry.location.path == location.path else fresh / entry.relative  # type: ignore[union-attr]
        place.parent.mkdir(parents=True, exist_ok=True)
        location.fs.get_file(entry.location.path, str(place))  # type: ignore[union-attr]
    fresh.rename(copy)


def _forget(places: Iterable[Path]) -> None:
    for place in places:
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - place.stat().st_mtime > FORGOTTEN_AFTER:
                remove(place)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _cache() -> Path:
    """Return this machine's folder for copies: SEQUOIA_COPIES, or one in the temporary folder."""
    folder = Path(os.environ.get("SEQUOIA_COPIES") or Path(tempfile.gettempdir()) / f"sequoia-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UserError(
            f"{folder} belongs to somebody else: set SEQUOIA_COPIES to a folder for copies of remote files"
        )
    return folder


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
