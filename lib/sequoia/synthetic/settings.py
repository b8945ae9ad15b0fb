"""Settings of the generated corpus."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sequoia.settings import Settings


class CorpusSettings(Settings):
    """Size, marginals, habits and dirt of the corpus; all shares lie between 0 and 1."""

    seed: int = Field(ge=0, lt=2**63)
    users: int = Field(ge=1)
    categories: dict[str, Literal[2014, 2018]] = Field(min_length=1)  # name: year of the file formats
    formats: list[Literal["ratings", "reviews", "metadata"]] = Field(min_length=1)
    compress: bool  # gzip, as the reviews are published; the ratings are plain there
    category_skew: float = Field(ge=0)  # users at home in the category of rank r: r ** -skew
    further_category_share: float = Field(ge=0, lt=1)  # of a category's users, who also write in the next
    block_users: int = Field(ge=1, le=250_000)  # users generated at once: bounds the memory
    processes: int | None = Field(ge=1)  # that write the files; null: as many as cores; changes no byte

    single_share: float = Field(ge=0, le=1)  # of a category's users: one event
    active_share: float = Field(ge=0, le=1)  # of a category's users: five events or more
    mean_active_events: float = Field(ge=5)
    max_events: int = Field(ge=5, le=1000)

    themes: int = Field(ge=1)  # per category; a theme has stages x brands items
    stages: int = Field(ge=2)
    brands: int = Field(ge=1)
    best_sellers: int = Field(ge=1)  # per category, items outside the themes
    theme_skew: float = Field(ge=0)  # popularity of the theme of rank r is r ** -theme_skew

    best_seller_share: float = Field(ge=0, le=1)  # of events, that interrupt a project for a best seller
    impulse_share: float = Field(ge=0, le=1)  # of events, that interrupt it for any item, rare ones included
    skip_share: float = Field(ge=0, le=1)  # of steps within a project, that leave a stage out
    abandon_share: float = Field(ge=0, le=1)  # of steps, that give the project up
    successor_share: float = Field(ge=0, le=1)  # of new projects, that take the theme after the last one
    brand_loyalty: float = Field(ge=0, le=1)  # of project events, that stay with the brand of the project

    same_day_share: float = Field(ge=0, le=1)  # of events, that fall on the day of the one before
    last_day_share: float = Field(ge=0, le=1)  # the same for a user's last event
    mean_gap_days: float = Field(gt=0)  # between events of different days

    duplicate_share: float = Field(ge=0, le=1)  # of events, that are written more than once
    altered_share: float = Field(ge=0, le=1)  # of repeated lines, whose rating and text differ
    malformed_per_kind: int = Field(ge=0)  # unusable lines per kind and file
    metadata_repeats: float = Field(ge=0, le=1)  # of items with metadata, whose line is repeated
    without_metadata: float = Field(ge=0, le=1)  # of items

    @model_validator(mode="after")
    def _shares_leave_room(self) -> CorpusSettings:
        for names in (("single_share", "active_share"), ("best_seller_share", "impulse_share")):
            total = sum(getattr(self, name) for name in names)
            if total > 1:
                raise ValueError(f"{' + '.join(names)} = {total:g} exceeds 1: lower one of them")
        for name in self.categories:
            if not name.replace("_", "").isalnum():
                raise ValueError(
                    f"category {name!r} cannot be part of a file name: use letters, digits and _"
                )
        return self

    @property
    def rare_items(self) -> int:
        """Return the number of a category's items that few users ever take: as many as its themes have."""
        return self.themes * self.stages * self.brands

    @property
    def items_per_category(self) -> int:
        """Return the number of items a category's catalogue lists."""
        return self.best_sellers + self.themes * self.stages * self.brands + self.rare_items
