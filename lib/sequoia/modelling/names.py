"""The names of the models: the modules of `sequoia.models`, none of which is imported for it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

MODELS = f"{__package__.rpartition('.')[0]}.models"  # in a registered model the package has another name


def model_names() -> list[str]:
    """Return the names of all models, in order."""
    return sorted(module.name for module in iter_modules(import_module(MODELS).__path__))
