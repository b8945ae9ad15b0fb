"""Settings of the ingest stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sequoia.settings import Settings

Format = Literal["auto", "reviews", "ratings", "metadata", "events", "sequences"]


class EventColumns(Settings):
    """Names of the columns in an event log (Parquet, Delta, or CSV with a header)."""

    user: str
    item: str
    time: str
    rating: str | None
    time_unit: Literal["seconds", "milliseconds"]


class IngestSettings(Settings):
    """What to read and how much dirt to bear."""

    raw: str | None  # folder with raw files; null: the generated corpus
    category: str | None  # of the folder, only this category's files; null: all
    format: Format
    ratings_order: Literal["auto", "item,user", "user,item"]
    columns: EventColumns
    on_damage: Literal["refuse", "keep"]
    first_time: str
    last_time: str | None
    max_line_bytes: int = Field(ge=1024)
    max_quarantined: float = Field(ge=0, le=1)
