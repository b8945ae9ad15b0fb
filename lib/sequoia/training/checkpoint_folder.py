"""Where checkpoints lie: a folder whose file `latest` names the newest complete one."""

from __future__ import annotations

import shutil
from pathlib import Path

from sequoia.errors import UserError
from sequoia.local_files import local_copy, publish, replace_text
from sequoia.storage import Location, uri

LATEST = "latest"


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a folder, or None."""
    pointer = folder / LATEST
    return folder / pointer.read_text(encoding="utf-8") if pointer.is_file() else None


def has_checkpoint(folder: Location) -> bool:
    """Say whether a folder, of this machine or remote, holds a complete checkpoint."""
    return (folder / LATEST).is_file()


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
    """Bring a remote folder up to one of this machine; its pointer moves when the checkpoint is there."""
    publish(folder, store, last=LATEST)
