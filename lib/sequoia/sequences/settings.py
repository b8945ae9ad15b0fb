"""Settings of the sequences stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sequoia.settings import Settings


class SequencesSettings(Settings):
    """K-core, order, split, and the shape of training rows."""

    k: int = Field(ge=1)
    max_rounds: int = Field(ge=1)
    repeats: Literal["keep", "first"]
    ties: Literal["shuffled", "item"]
    split: Literal["leave-one-out", "time"]
    valid_share: float = Field(gt=0, lt=1)
    test_share: float = Field(gt=0, lt=1)
    max_events: int = Field(ge=3)
    max_length: int = Field(ge=2)
    shards: int = Field(ge=1, le=65536)
    session_gap_minutes: int = Field(ge=1)

    @model_validator(mode="after")
    def _shares_leave_room_for_training(self) -> SequencesSettings:
        if self.valid_share + self.test_share >= 1:
            raise ValueError(
                f"valid_share {self.valid_share} + test_share {self.test_share} must stay below 1: "
                "lower one of them"
            )
        if self.max_events < self.max_length + 3:
            raise ValueError(
                f"max_events {self.max_events} must be at least max_length + 3 = {self.max_length + 3}: "
                "raise it"
            )
        return self
