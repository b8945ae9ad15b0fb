"""What a setting takes: its type by its key, a value from the command line, and a mistake in words."""

from __future__ import annotations

import difflib
import re
import shlex
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

from sequoia.config.layers import COMMAND_LINE, Key, StrictLoader
from sequoia.errors import UserError

NULL = ("", "~", "null", "Null", "NULL")
LONGEST = 60


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting, or a section (then `kind` is its class), with the bounds on its value."""

    key: Key
    kind: Any
    bounds: tuple[Any, ...] = ()
    optional: bool = False

    @property
    def is_text(self) -> bool:
        """Say whether the value is text, free or one of a list."""
        if get_origin(self.kind) is Literal:
            return all(isinstance(choice, str) for choice in get_args(self.kind))
        return self.kind is str


def setting_at(model: type[BaseModel], parts: list[str]) -> Setting:
    """Return what a key such as training.epochs names; raises UserError with the nearest for an unknown one.

    Below a setting of free keys, such as spark.conf, the rest is one key, points and all.
    """
    setting = Setting(key=(), kind=model)
    for place, part in enumerate(parts):
        if get_origin(setting.kind) is dict:
            key = (*setting.key, ".".join(parts[place:]))
            return Setting(key=key, kind=get_args(setting.kind)[1])
        if not _is_section(setting.kind):
            raise UserError(
                f"setting {'.'.join(parts)}: {'.'.join(setting.key)} is a value, not a section: "
                "shorten the key"
            )
        if part not in setting.kind.model_fields:
            raise UserError(unknown_key(setting.kind, list(setting.key), part))
        field = setting.kind.model_fields[part]
        kind, optional = _without_null(field.annotation)
        key = (*setting.key, part)
        setting = Setting(key=key, kind=kind, bounds=tuple(field.metadata), optional=optional)
    return setting


def value_of(text: str, setting: Setting) -> Any:
    """Turn the text behind key= into a value: text stands as it is, everything else is YAML.

    Text in quotes is read without them, so that '"null"' is a word; null alone is no value.
    """
    plain = text.strip()
    if plain in NULL:
        return None
    try:
        value = yaml.load(plain, StrictLoader)
    except yaml.YAMLError:
        value = plain
    if setting.is_text:
        return value if plain[0] in "'\"" and isinstance(value, str) else plain
    if setting.kind is int and re.fullmatch(r"[-+]?\d+", plain):
        return int(plain)  # to YAML 010 is 8
    return value


def wanted(setting: Setting) -> str:
    """Say in words what a setting takes."""
    text = f"{_kind_in_words(setting.kind)}{_bounds_in_words(setting.bounds)}"
    return f"{text}, or null" if setting.optional else text


def how_to_write(key: Key, value: Any, origin: str | None) -> str:
    """Return a value as one writes it on the command line, or as a line of the file it stands in."""
    if origin in (None, COMMAND_LINE):
        text = value if isinstance(value, str) and _stands_as_it_is(value) else in_yaml(value)
        return f"{'.'.join(key)}={shlex.quote(text)}"
    place = f"below {'.'.join(key[:-1])} in {origin}" if key[:-1] else f"in {origin}"
    return f"`{key[-1]}: {in_yaml(value)}` {place}"


def in_yaml(value: Any) -> str:
    """Return a value in YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    plain = text.removesuffix("\n...\n").strip()
    return f'"{plain[1:-1]}"' if plain.startswith("'") and not re.search(r"[\"\\]|''", plain) else plain


def unknown_key(model: type[BaseModel], path: list[str], name: str) -> str:
    """Return the sentence about a key that does not exist."""
    known = sorted(model.model_fields)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"known are {', '.join(known)}"
    if near:
        hint = f"did you mean {'.'.join([*path, near[0]])}?"
    return f"unknown setting {'.'.join([*path, name])}: {hint}"


def example(setting: Setting, given: Any, base: Any) -> Any:
    """Return a value that the setting takes: the given one where it can be mended, else that of base.yaml."""
    if get_origin(setting.kind) is Literal:
        choices = get_args(setting.kind)
        near = difflib.get_close_matches(str(given), [str(choice) for choice in choices], n=1, cutoff=0.5)
        return next((choice for choice in choices if near and str(choice) == near[0]), base or choices[0])
    scalar = isinstance(given, (str, int, float)) and not isinstance(given, bool)
    if setting.kind is str and isinstance(given, (str, int, float, date)):
        return str(given).lower() if isinstance(given, bool) else str(given)
    if get_origin(setting.kind) is list and scalar:
        element = Setting(key=setting.key, kind=get_args(setting.kind)[0])
        mended = example(element, given, given)
        return [mended] if _fits(mended, element.kind) else base
    return base


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    return type(value) is kind or (kind is float and type(value) is int)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _without_null(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        assert len(kinds) == 1, f"{annotation}: a setting has one type, or null"
        return kinds[0], True
    return annotation, False


def _kind_in_words(kind: Any) -> str:
    if _is_section(kind):
        return "a section"
    if get_origin(kind) is Literal:
        return _either(get_args(kind))
    if get_origin(kind) is list:
        [element] = get_args(kind)
        return f"a list of {'the words ' if get_origin(element) is Literal else ''}{_plural(element)}"
    if get_origin(kind) is dict:
        return f"keys with {_plural(get_args(kind)[1])} as values"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}[kind]


def _plural(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return _either(get_args(kind))
    return {str: "texts", int: "whole numbers", float: "numbers", bool: "true or false"}[kind]


def _either(choices: Iterable[Any]) -> str:
    *most, last = [str(choice) for choice in choices]
    return f"{', '.join(most)} or {last}" if most else last


def _bounds_in_words(bounds: Iterable[Any]) -> str:
    said: list[str] = []
    words: Mapping[str, str] = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    for bound in bounds:
        said += [f"{word} {getattr(bound, name)}" for name, word in words.items() if hasattr(bound, name)]
        if hasattr(bound, "min_length"):
            return " (at least one)"
    return f" {' and '.join(said)}".rstrip().replace(" at least", " of at least", 1)


def _stands_as_it_is(text: str) -> bool:
    return text.strip() == text and text not in NULL and text[0] not in "'\""


def shortened(value: Any) -> str:
    """Return a value in YAML, cut where it is long."""
    text = in_yaml(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
