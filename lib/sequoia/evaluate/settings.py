"""Settings of the evaluate stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sequoia.settings import Device, Settings

Ties = Literal["pessimistic", "shuffled"]


class EvaluateSettings(Settings):
    """How ranks become metrics and intervals."""

    ties: Ties
    targets: Literal["first", "all"]
    users: int | None = Field(ge=1)
    device: Device
    bootstrap_samples: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    new_user_events: int = Field(ge=0)
    cold_item_events: int = Field(ge=0)
