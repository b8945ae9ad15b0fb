"""The effective configuration as a person reads it: every setting, its value, and where that comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sequoia.config import Config, load_layers, validated
from sequoia.config.layers import COMMAND_LINE, Key, Layered
from sequoia.config.types import in_yaml, setting_at
from sequoia.provenance import settings_hash
from sequoia.secrets import redact_values


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One setting, secrets hidden; `origin` is a file, or the command line."""

    key: str
    value: Any
    origin: str


def effective(path: str, overrides: Sequence[str], keys: Sequence[str]) -> tuple[Config, list[Entry]]:
    """Return the configuration and the entries of these settings and sections, by default of all.

    Raises UserError for a key that does not exist.
    """
    layered = load_layers(path, overrides)
    config = validated(layered)
    wanted = [setting_at(Config, key.split(".")).key for key in keys] or [()]
    hidden = redact_values(config.model_dump(mode="json"))
    entries = list(_entries(hidden, layered, ()))
    return config, [entry for entry in entries if any(_lies_in(entry.key, key) for key in wanted)]


def as_table(entries: Sequence[Entry]) -> str:
    """Return the entries in three columns: key as in an override, value, origin."""
    rows = [(f"{entry.key}={_text(entry.value)}", entry.origin) for entry in entries]
    width = min(max((len(setting) for setting, _ in rows), default=0), 60)
    return "\n".join(f"{setting:<{width}}  # {origin}" for setting, origin in rows)


def as_json(config: Config, entries: Sequence[Entry]) -> str:
    """Return an object with the settings' hash and the entries by key, each with value and from."""
    found = {entry.key: {"value": entry.value, "from": asdict(entry)["origin"]} for entry in entries}
    return json.dumps({"settings_hash": settings_hash(config), "settings": found}, indent=2)


def _entries(values: Any, layered: Layered, above: Key) -> Iterator[Entry]:
    for name, value in values.items():
        key = (*above, name)
        if isinstance(value, dict) and value:
            yield from _entries(value, layered, key)
        else:
            yield Entry(key=".".join(key), value=value, origin=layered.origin(key) or COMMAND_LINE)


def _lies_in(entry: str, key: Key) -> bool:
    return not key or f"{entry}.".startswith(f"{'.'.join(key)}.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else in_yaml(value)
