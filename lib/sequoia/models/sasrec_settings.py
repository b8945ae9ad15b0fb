"""Settings of the transformer."""

from __future__ import annotations

from pydantic import Field

from sequoia.settings import Settings


class SasRecSettings(Settings):
    """Size and regularisation of the transformer."""

    width: int = Field(ge=1)
    blocks: int = Field(ge=1)
    heads: int = Field(ge=1)
    max_length: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
