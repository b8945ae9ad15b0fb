"""The small training of tests/training."""

from __future__ import annotations

from tests.training.conftest import make_spec

__all__ = ["make_spec"]
