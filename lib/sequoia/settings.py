"""What every settings class shares: frozen, strict about keys, values in conf/base.yaml and conf/models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Device = Literal["auto", "cpu", "cuda"]


class Settings(BaseModel):
    """Base of all settings: immutable, unknown keys refused, numbers and texts not mixed up."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
