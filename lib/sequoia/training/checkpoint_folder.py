"""Where checkpoints lie: a folder whose file `latest` names the newest complete one."""

from __future__ import annotations

import shutil
from pathlib import Path

from sequoia.errors import UserError
from sequoia.local_files import fresh_workbench, local_copy, publish, replace_text
from sequoia.storage import Location, is_local, locate, remove, uri

LATEST = "latest"


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a folder, or None."""
    pointer = folder / LATEST
    return folder / pointer.read_text(encoding="utf-8") if pointer.is_file() else None


def has_checkpoint(folder: Location) -> bool:
    """Say whether a folder, of this machine or remote, holds a complete checkpoint."""
    return (folder / LATEST).is_file()


def open_checkpoints(store: Location, resume_from: str | None) -> tuple[Path, bool]:
    """Return this machine's folder for the checkpoints of a store, with the newest one that it holds.

    Where it holds none, the newest of the folder resume_from is taken, and the second value is True. Raises
    UserError when there is none either.
    """
    folder = fresh_workbench(store)
    if has_checkpoint(store):
        if not is_local(store):
            adopt_checkpoint(store, folder)
        return folder, False
    if resume_from is not None:
        adopt_checkpoint(locate(resume_from), folder)
    return folder, resume_from is not None


def adopt_checkpoint(source: Location, folder: Path) -> None:
    """Copy the newest checkpoint of another folder into a new one; raises UserError when there is none."""
    name = (source / LATEST).read_text(encoding="utf-8") if has_checkpoint(source) else None
    if name is None or not (source / name).is_dir():
        raise UserError(
            f"training.resume_from = {uri(source)} holds no checkpoint: name a folder below "
            "<workspace>/checkpoints"
        )
    shutil.rmtree(folder, ignore_errors=True)  # what an adoption that was killed has left
    folder.mkdir(parents=True)
    shutil.copytree(local_copy(source / name), folder / name)
    replace_text(folder / LATEST, name)


def publish_checkpoints(folder: Path, store: Location) -> None:
    """Bring a remote store up to the folder that was opened for it: the newest, then the pointer to it.

    A checkpoint that is there does not change, so it is not sent again.
    """
    newest = latest_checkpoint(folder)
    if is_local(store) or newest is None:
        return
    publish(newest, store / newest.name)
    publish(folder / LATEST, store / LATEST)
    for old in store.glob("epoch-*"):
        if not (folder / old.name).is_dir():
            remove(old)
