"""The grammar of a file: its format with the settings that bear on it."""

from __future__ import annotations

from sequoia.ingest.formats.event_csv import event_csv
from sequoia.ingest.formats.metadata import metadata
from sequoia.ingest.formats.parse import Grammar
from sequoia.ingest.formats.ratings import ratings
from sequoia.ingest.formats.reviews import reviews
from sequoia.ingest.formats.sequence_lines import sequences
from sequoia.ingest.settings import Format, IngestSettings


def grammar(form: Format, settings: IngestSettings, *, name: str, header: list[str] | None = None) -> Grammar:
    """Return the grammar of a format; `name` decides the order of ratings, `header` is a CSV log's."""
    if form == "reviews":
        return reviews(settings)
    if form == "ratings":
        return ratings(settings, ratings_order(name, settings))
    if form == "metadata":
        return metadata()
    if form == "sequences":
        return sequences()
    assert header is not None, f"{form} of lines without a header"
    return event_csv(settings, header)


def ratings_order(name: str, settings: IngestSettings) -> str:
    """Return the order of a ratings file's first two columns: as set, or by the naming of 2014 and 2018."""
    if settings.ratings_order != "auto":
        return settings.ratings_order
    return "user,item" if name.startswith("ratings_") else "item,user"
