"""Settings of the ingest stage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from sequoia.errors import UserError
from sequoia.settings import Settings

Format = Literal["auto", "reviews", "ratings", "metadata", "events", "sequences"]
Order = Literal["auto", "item,user", "user,item"]
Unit = Literal["seconds", "milliseconds"]
Fingerprint = Literal["samples", "contents"]
GENERATED = "generated"  # the corpus that `sequoia generate` writes


class EventColumns(Settings):
    """Names of the columns in an event log (Parquet, Delta, or CSV with a header)."""

    user: str | None  # null: the log knows no users
    item: str
    time: str
    rating: str | None
    time_unit: Unit


class IngestSettings(Settings):
    """What to read and how much dirt to bear."""

    raw: str | None  # a folder or file, as path or URI, a table's name, or GENERATED; null: not said yet
    category: str | None  # of the folder, only this category's files; null: all
    format: Format
    fingerprint: Fingerprint  # by what an unchanged file is known
    ratings_order: Order
    columns: EventColumns
    on_damage: Literal["refuse", "keep"]
    first_time: str
    last_time: str | None
    max_line_bytes: int = Field(ge=1024)
    max_quarantined: float = Field(ge=0, le=1)
    max_dropped: float = Field(ge=0, le=1)

    def until_now(self) -> IngestSettings:
        """Return the settings with a last time: where none is set, a day from now, the same for all tasks."""
        if self.last_time is not None:
            return self
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return self.model_copy(update={"last_time": tomorrow.isoformat()})

    @field_validator("first_time", "last_time")
    @classmethod
    def _is_iso(cls, text: str | None) -> str | None:
        try:
            milliseconds(text or "1970-01-01")
        except ValueError:
            raise ValueError(f"{text!r} must be a date or time in ISO 8601, such as 2018-10-31") from None
        return text


def required_raw(settings: IngestSettings) -> str:
    """Return the input; raises UserError when none is named."""
    if settings.raw is None:
        raise UserError(
            "ingest.raw is not set: name a file, a folder or a table, or write ingest.raw=generated for the "
            "corpus that `sequoia generate` writes"
        )
    return settings.raw


def milliseconds(text: str) -> int:
    """Turn ISO 8601 text (UTC where it names no zone) into milliseconds since 1970; else ValueError."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
