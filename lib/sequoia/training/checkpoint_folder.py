"""Where checkpoints lie: a folder whose file `latest` names the newest complete one."""

from __future__ import annotations

import shutil
from pathlib import Path

from sequoia.errors import UserError


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a folder, or None."""
    pointer = folder / "latest"
    return folder / pointer.read_text(encoding="utf-8") if pointer.is_file() else None


def adopt_checkpoint(source: Path, folder: Path) -> None:
    """Copy the newest checkpoint of another folder into a new one; raises UserError when there is none."""
    latest = latest_checkpoint(source)
    if latest is None or not latest.is_dir():
        raise UserError(
            f"training.resume_from = {source} holds no checkpoint: name a folder below "
            "<workspace>/checkpoints"
        )
    folder.mkdir(parents=True)
    shutil.copytree(latest, folder / latest.name)
    (folder / "latest").write_text(latest.name, encoding="utf-8")
