"""Which models there are: a module of `sequoia.models` each, imported when it is asked for.

torch takes seconds, and is missing where only a counting model is served.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from sequoia.errors import UserError
from sequoia.modelling.folder import read_about
from sequoia.modelling.interface import Model
from sequoia.modelling.names import MODELS, model_names


def module_of(kind: str) -> str:
    """Return the name of the module of a model."""
    return f"{MODELS}.{kind}"


def find_model(kind: str) -> type[Model]:
    """Import a model by its name, one of `model_names`."""
    found: type[Model] = import_module(module_of(kind)).MODEL
    return found


def fits_itself(kind: str) -> bool:
    """Say whether a model has a `fit` of its own; the others are trained by the loop."""
    return hasattr(find_model(kind), "fit")


def kind_of(folder: Path) -> str:
    """Return what kind of model a folder holds; raises UserError when it holds none of a known kind."""
    kind = str(read_about(folder)["kind"])
    if kind not in model_names():
        known = " and ".join(model_names())
        raise UserError(f"{folder} holds a model of unknown kind {kind!r}: known are {known}")
    return kind


def load_model(folder: Path) -> Model:
    """Load the model of a folder, whatever its kind; raises UserError when it holds none of a known kind."""
    return find_model(kind_of(folder)).load(folder)
