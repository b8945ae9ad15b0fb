"""Settings of the negatives stage."""

from __future__ import annotations

from pydantic import Field

from sequoia.settings import Settings


class NegativesSettings(Settings):
    """How many candidates per user and how popularity weighs."""

    candidates: int = Field(ge=1)
    alpha: float = Field(ge=0, le=2)
