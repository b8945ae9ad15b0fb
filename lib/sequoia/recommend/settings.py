"""Settings of the recommend stage."""

from __future__ import annotations

from pydantic import Field

from sequoia.settings import Device, Settings


class RecommendSettings(Settings):
    """How many items each user gets and from which registered model."""

    k: int = Field(ge=1, le=1000)
    alias: str
    hide_seen: bool
    device: Device
    sample_users: int = Field(ge=0, le=100)
