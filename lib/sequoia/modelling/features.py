"""What neural models may know beside the items' own vectors: of the items, and of each event."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from sequoia.settings import Settings

# The columns of an item index and of histories that features come from.
ITEM_COLUMNS = {"category": "category", "brand": "brand", "price": "price", "age": "first_time"}
EVENT_COLUMNS = {"gap": "times", "rating": "ratings"}


class FeatureSettings(Settings):
    """Features of items, added to their vectors, and of events, added to what a model reads."""

    items: list[Literal["category", "brand", "price", "age"]]
    events: list[Literal["gap", "rating"]]

    @field_validator("items", "events")
    @classmethod
    def _once(cls, names: list[str]) -> list[str]:
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} is named {names.count(name)} times: once is enough")
        return names

    @property
    def item_columns(self) -> list[str]:
        """Return the columns of the item index that are needed."""
        return [ITEM_COLUMNS[name] for name in self.items]

    @property
    def event_columns(self) -> list[str]:
        """Return the columns of histories that are needed."""
        return [EVENT_COLUMNS[name] for name in self.events]


NO_FEATURES = FeatureSettings(items=[], events=[])
