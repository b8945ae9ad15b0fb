"""Settings of the transformer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sequoia.settings import Settings


class SasRecSettings(Settings):
    """Size and regularisation of the transformer, and what its logits may cost."""

    width: int = Field(ge=1)
    blocks: int = Field(ge=1)
    heads: int = Field(ge=1)
    max_length: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    logits_chunk: int = Field(ge=1)
    logits_type: Literal["float32", "bfloat16"]
