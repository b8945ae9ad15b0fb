"""The section of each model: its keys are those of conf/models/<name>.yaml, its class says what they may be.

A model's class comes with torch, which takes seconds to import. So every command checks names and types, by
the shipped values; bounds are checked before training, where somebody changed a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError, create_model

from sequoia.config.layers import model_defaults
from sequoia.config.types import setting_at, shortened, unknown_key, wanted
from sequoia.errors import UserError
from sequoia.settings import Settings


def models_section() -> type[Settings]:
    """Return the class of the section `models`."""
    sections = {kind: (_section(kind, values), ...) for kind, values in model_defaults().items()}
    return create_model("ModelsSettings", __base__=Settings, **sections)  # type: ignore[call-overload, no-any-return]


def check_models(models: Settings, kinds: Sequence[str]) -> None:
    """Check the settings of these models by their own classes; raises UserError for the first mistake."""
    from sequoia.modelling.registry import find_model

    shipped = model_defaults()
    for kind in kinds:
        values = getattr(models, kind).model_dump()
        if values == shipped[kind]:
            continue
        settings_type = find_model(kind).settings_type
        try:
            settings_type.model_validate(values)
        except ValidationError as error:
            raise UserError(_explained(kind, settings_type, error, shipped[kind])) from None


def _section(kind: str, values: dict[str, Any]) -> type[Settings]:
    fields = {name: (_type_of(value), ...) for name, value in values.items()}
    return create_model(f"{kind}Settings", __base__=Settings, **fields)  # type: ignore[call-overload, no-any-return]


def _type_of(value: Any) -> Any:
    return list[_type_of(value[0])] if isinstance(value, list) else type(value)  # type: ignore[misc]


def _explained(
    kind: str, settings_type: type[Settings], error: ValidationError, shipped: dict[str, Any]
) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "value_error":
        return f"setting models.{kind}: {first['msg'].removeprefix('Value error, ')}"
    if first["type"] == "extra_forbidden":
        return unknown_key(settings_type, ["models", kind], path[-1])
    setting = setting_at(settings_type, path[:1])
    key = f"models.{kind}.{path[0]}"
    return (
        f"setting {key} = {shortened(first['input'])} must be {wanted(setting)}, such as "
        f"{key}={shortened(shipped[path[0]])}"
    )
