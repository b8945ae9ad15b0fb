"""One strict configuration: a YAML file that may extend another, plus `section.key=value` overrides.

All values live in conf/base.yaml and conf/models; the classes only say what is allowed. The file a user names
may hold just what differs: `extends: base.yaml` (a neighbour, or a file shipped with sequoia) fills the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from sequoia.config.explain import explain, explain_missing
from sequoia.config.layers import COMMAND_LINE, Layered, read_layers
from sequoia.config.schema import Config, SparkSettings
from sequoia.config.types import setting_at, value_of
from sequoia.errors import UserError

__all__ = ["Config", "SparkSettings", "load_config", "load_layers", "validated"]


def load_config(path: str | Path = "base.yaml", overrides: Sequence[str] = ()) -> Config:
    """Load a YAML file (a path, or a name shipped in conf/) with overrides such as `training.epochs=3`.

    Raises UserError with the key, what is wrong with it, and how to write what is wanted.
    """
    return validated(load_layers(path, overrides))


def load_layers(path: str | Path, overrides: Sequence[str]) -> Layered:
    """Read the file, those it extends, and the overrides, which replace a setting or change a section."""
    layered = read_layers(str(path))
    _check_asked(layered)
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign or not key.strip():
            raise UserError(
                f"override {override!r} is not of the form section.key=value, such as training.epochs=3"
            )
        setting = setting_at(Config, key.strip().split("."))
        value = value_of(text, setting)
        if isinstance(value, dict) and isinstance(setting.kind, type) and issubclass(setting.kind, BaseModel):
            layered.lay(value, COMMAND_LINE, setting.key)
        else:
            layered.replace(setting.key, value, COMMAND_LINE)
    return layered


def _check_asked(layered: Layered) -> None:
    for key, asked in layered.asked.items():
        setting = setting_at(Config, list(key))
        if setting.key != key or hasattr(setting.kind, "model_fields"):
            raise UserError(f"required in {asked.file} names {'.'.join(key)}: name single settings")


def validated(layered: Layered) -> Config:
    """Check all values; raises UserError with the first mistake in one sentence."""
    missing = layered.missing()
    if missing:
        raise UserError(explain_missing(missing, layered))
    try:
        return Config.model_validate(layered.values)
    except ValidationError as error:
        raise UserError(explain(error, layered)) from None
