"""Settings of the promote stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sequoia.settings import Settings


class PromoteSettings(Settings):
    """The gate a challenger must pass."""

    metric: Literal[
        "hr@1", "hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr@5", "mrr@10", "mrr@20"
    ]
    alias: str
    minimum: float = Field(ge=0, le=1)
    min_users: int = Field(ge=1)
    champion_margin: float = Field(ge=0, le=1)
    baseline_margin: float = Field(ge=0, le=1)
    min_coverage_ratio: float = Field(ge=0, le=1)
