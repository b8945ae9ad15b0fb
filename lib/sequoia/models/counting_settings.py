"""Settings of the counting model."""

from __future__ import annotations

from pydantic import Field

from sequoia.settings import Settings


class CountingSettings(Settings):
    """Grid of the co-occurrence model; each list is searched on validation users."""

    window: list[int] = Field(min_length=1)
    backward: list[float] = Field(min_length=1)
    last: list[int] = Field(min_length=1)
    decay: list[float] = Field(min_length=1)
    popularity_power: list[float] = Field(min_length=1)
    max_neighbours: int = Field(ge=1)
