"""Stamps: one small file per finished step, holding what the step depended on."""

from __future__ import annotations

import hashlib
from pathlib import Path


class Stamps:
    """The stamps of one environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> str:
        """Return a stamp's content, empty when there is none."""
        file = self.folder / name
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def set(self, name: str, content: str) -> None:
        """Write a stamp."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(content, encoding="utf-8")

    def remove(self, name: str) -> None:
        """Remove a stamp."""
        (self.folder / name).unlink(missing_ok=True)


def digest(*files: Path) -> str:
    """Return one SHA-256 over the contents of files."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
