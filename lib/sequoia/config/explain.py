"""One sentence for a value that cannot be: what stands there, what is wanted, and how to write that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from sequoia.config.layers import COMMAND_LINE, Key, Layered, read_layers
from sequoia.config.schema import Config
from sequoia.config.types import (
    Setting,
    example,
    how_to_write,
    setting_at,
    shortened,
    unknown_key,
    wanted,
)


def explain(error: ValidationError, layered: Layered) -> str:
    """Return the first mistake with its remedy."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return unknown_key(_section(path[:-1]), path[:-1], path[-1])
    if first["type"] == "missing":
        return f"setting {'.'.join(path)} is missing: let the file extend base.yaml, or add the key"
    if first["type"] == "value_error":
        return f"setting {'.'.join(path)}: {first['msg'].removeprefix('Value error, ')}"
    return _wrong_type(path, first["input"], layered)


def explain_missing(keys: Sequence[Key], layered: Layered) -> str:
    """Return which settings have to be given, and how each is written."""
    names, them, verb = "setting", "it", "is"
    if len(keys) > 1:
        names, them, verb = "settings", "them", "are"
    names = f"{names} {', '.join('.'.join(key) for key in keys)}"
    written = " ".join(layered.asked[key].written for key in keys)
    return f"{names} {verb} missing: {layered.asked[keys[0]].file} has no value for {them}; give {written}"


def _section(path: list[str]) -> type[BaseModel]:
    kind: type[BaseModel] = setting_at(Config, path).kind
    return kind


def _wrong_type(path: list[str], given: Any, layered: Layered) -> str:
    """Say what stands there, what is wanted, and how to write that."""
    if path[-1] == "[key]":
        return f"setting {'.'.join(path[:-2])}: key {shortened(given)} must be text: put it in quotes"
    entry = path.pop() if path[-1].isdigit() else None
    setting, key = setting_at(Config, path), tuple(path)
    what = f"setting {'.'.join(setting.key)} = {shortened(given)}"
    if entry is not None:
        what = f"entry {int(entry) + 1} of setting {'.'.join(setting.key)}, {shortened(given)},"
    base = _base_value(setting.key)
    mended = example(setting, given if entry is None else None, base)
    if isinstance(setting.kind, type) and issubclass(setting.kind, BaseModel):
        return f"{what} must be a section: give one of its keys, such as {_first_of(setting)}"
    remedy = ", such as" if mended == base else ": write"
    written = how_to_write(setting.key, mended, layered.origin(key))
    return f"{what} must be {wanted(setting)}{remedy} {written}"


def _first_of(section: Setting) -> str:
    name = next(iter(section.kind.model_fields))
    value = _base_value((*section.key, name))
    return how_to_write((*section.key, name), value, COMMAND_LINE)


def _base_value(key: Key) -> Any:
    value: Any = read_layers("base.yaml").values
    for name in key:
        value = value.get(name) if isinstance(value, dict) else None
    return value
