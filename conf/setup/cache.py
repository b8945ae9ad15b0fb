"""Where the set-up keeps what later set-ups use again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return SEQUOIA_CACHE, or the folder `sequoia` in the user's cache."""
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SEQUOIA_CACHE") or Path(users) / "sequoia").absolute()
