"""What a model was trained on, as it says itself in model.json: enough to tell later what it has seen.

Two questions hang on it: is a challenger fresher than the champion, and was a model trained on an event
that is a test target today (`sequoia.evaluate.leaks`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sequoia.storage import Location

KEY = "trained_on"


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """The sequences a model comes from.

    table: Delta's id of the table sequences. version: its version. events: how many there are, held out or
    not. newest, newest_training, first_target: times of the newest event, of the newest one that trains,
    and of the oldest test target (milliseconds since 1970-01-01 UTC). split: the settings that decided what
    trains and what is held out, with the seed of the ties.
    """

    table: str
    version: int
    events: int
    newest: int
    newest_training: int
    first_target: int
    split: dict[str, Any]

    @property
    def until(self) -> str:
        """Return the day of the newest event."""
        return datetime.fromtimestamp(self.newest / 1000, UTC).strftime("%Y-%m-%d")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def read_trained_on(folder: Location) -> TrainedOn | None:
    """Return what the model of a folder says; None for one that does not, or cannot be read."""
    try:
        said = json.loads((folder / "model.json").read_text(encoding="utf-8")).get(KEY)
        return TrainedOn(**said) if said else None
    except (ValueError, TypeError, AttributeError, FileNotFoundError):
        return None
