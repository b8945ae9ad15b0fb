"""Sequential recommendation from raw interactions to promoted models."""

from __future__ import annotations

__version__ = "0.2.0"
