"""Settings of the promote stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sequoia.settings import Settings


class GuardRails(Settings):
    """What a new champion may cost against the old one; None: no matter."""

    coverage: float | None = Field(ge=0, le=1)
    popularity: float | None = Field(ge=0, le=1)
    new_users: float | None = Field(ge=0, le=1)
    cold_items: float | None = Field(ge=0, le=1)
    latency: float | None = Field(ge=0)
    latency_floor_ms: float = Field(ge=0)
    size: float | None = Field(ge=0)
    size_floor_mib: float = Field(ge=0)


class PromoteSettings(Settings):
    """The gate a challenger must pass."""

    metric: Literal[
        "hr@1", "hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr@5", "mrr@10", "mrr@20"
    ]
    alias: str
    minimum: float = Field(gt=0, le=1)
    difference: float = Field(gt=0, le=1)
    power: float = Field(ge=0.5, lt=1)
    false_promotions: float = Field(gt=0, le=0.5)
    compare_champion: bool
    allow_rejected: bool
    refused_exit_code: int = Field(ge=0, le=255)
    guard_rails: GuardRails
