"""Settings of the negatives stage."""

from __future__ import annotations

from pydantic import Field

from sequoia.settings import Settings


class NegativesSettings(Settings):
    """How many candidates per user, how popularity weighs, and of about how many users they are stored."""

    candidates: int = Field(ge=1)
    alpha: float = Field(ge=0, le=2)
    stored: int | None = Field(ge=0)
