"""Settings of the losses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sequoia.settings import Settings

Kind = Literal["full", "sampled", "bce", "gbce", "bpr", "bpr-max", "top1-max"]
LogitsType = Literal["auto", "float32", "bfloat16"]


class LossSettings(Settings):
    """Which loss is trained with, against which negatives, and what its logits may cost."""

    kind: Kind
    logits_type: LogitsType
    target_tile: int = Field(ge=1)
    item_tile: int = Field(ge=16)
    popular: int = Field(ge=0)
    uniform: int = Field(ge=0)
    in_batch: int = Field(ge=0)
    alpha: float = Field(ge=0, le=1)
    calibration: float = Field(ge=0, le=1)
    regularisation: float = Field(ge=0)

    @model_validator(mode="after")
    def _has_negatives(self) -> LossSettings:
        if self.kind != "full" and not self.popular + self.uniform + self.in_batch:
            raise ValueError(
                f"kind {self.kind} has no negatives: set loss.popular, loss.uniform or loss.in_batch above 0"
            )
        return self
