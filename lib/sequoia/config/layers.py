"""The layers of a configuration: files that extend each other, then the command line; the later one wins.

Every value remembers the layer it comes from. A file may ask for settings (`required`): the file itself or a
layer above has to give them. Files come from the disk or from the package, zipped or not.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from sequoia.errors import UserError

COMMAND_LINE = "command line"
Values = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A setting that a file asks for: how it is written, and whose value does not count."""

    file: str
    written: str
    below: str | None


@dataclass
class Layered:
    """Values as one tree, the layer of each leaf by its key, and what files ask for."""

    values: Values = field(default_factory=dict)
    origins: dict[Key, str] = field(default_factory=dict)
    asked: dict[Key, Asked] = field(default_factory=dict)

    def lay(self, values: Values, origin: str, above: Key = ()) -> None:
        """Put values on top; sections are merged key by key."""
        target = self._section(above)
        for name, value in values.items():
            key = (*above, name)
            if isinstance(value, dict) and isinstance(target.get(name), dict):
                self.lay(value, origin, key)
            else:
                self.replace(key, value, origin)

    def replace(self, key: Key, value: Any, origin: str) -> None:
        """Put one value in place of whatever the key holds."""
        self._section(key[:-1])[key[-1]] = value
        self.origins = {known: by for known, by in self.origins.items() if known[: len(key)] != key}
        self._mark(key, value, origin)

    def ask_for(self, settings: Any, file: str) -> None:
        """Let a file ask for settings, given as keys with how they are written, before its own values."""
        if not isinstance(settings, dict):
            kind = type(settings).__name__
            raise UserError(
                f"required in {file} holds a {kind}, not settings with how they are written, such as "
                "`workspace: /data/<name>`"
            )
        for name, written in settings.items():
            key = tuple(str(name).split("."))
            self.asked[key] = Asked(file=file, written=f"{name}={written}", below=self.origin(key))

    def missing(self) -> list[Key]:
        """Return what files ask for and no layer has given."""
        return [key for key, asked in self.asked.items() if self.origin(key) == asked.below]

    def origin(self, key: Key) -> str | None:
        """Return the layer of a value, or of the nearest section around it that is a value itself."""
        for end in range(len(key), 0, -1):
            if key[:end] in self.origins:
                return self.origins[key[:end]]
        return None

    def _section(self, key: Key) -> Values:
        section = self.values
        for name in key:
            section = section.setdefault(name, {})
        return section

    def _mark(self, key: Key, value: Any, origin: str) -> None:
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                self._mark((*key, name), inner, origin)
        else:
            self.origins[key] = origin


def read_layers(name: str) -> Layered:
    """Read a settings file and those it extends, lowest first.

    A name is looked for beside the file that extends it, as a path, then among those shipped with sequoia.
    Raises UserError when it is missing, no YAML, or extends itself.
    """
    chain: list[tuple[str, Values]] = []
    base: Path | None = None
    parent: str | None = name
    while parent is not None:
        found = _find(parent, base)
        if str(found) in [origin for origin, _ in chain]:
            raise UserError(f"{found} extends itself: let one of {_names(chain)} extend base.yaml")
        values = _read(found)
        chain.append((str(found), values))
        base = found.parent if isinstance(found, Path) else None
        parent = values.pop("extends", None)
        parent = None if parent is None else str(parent)
    layered = Layered()
    for kind, values in model_defaults().items():
        layered.lay({"models": {kind: values}}, f"models/{kind}.yaml")
    for origin, values in reversed(chain):
        layered.ask_for(values.pop("required", {}), _shown(origin))
        layered.lay(values, _shown(origin))
    return layered


def model_defaults() -> dict[str, Values]:
    """Return the shipped values of each model, by its name."""
    folder = files("sequoia.conf") / "models"
    shipped = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    found = {file.name.removesuffix(".yaml"): _read(file) for file in shipped}
    return dict(sorted(found.items()))


def _names(chain: list[tuple[str, Values]]) -> str:
    return ", ".join(origin for origin, _ in chain)


def _find(name: str, base: Path | None) -> Path | Traversable:
    for path in [*([base / name] if base else []), Path(name)]:
        if path.is_file():
            return path
    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    raise UserError(f"no configuration file {name}: name a YAML file, or one of {', '.join(sorted(shipped))}")


def _shipped() -> dict[str, Traversable]:
    return {entry.name: entry for entry in files("sequoia.conf").iterdir() if entry.name.endswith(".yaml")}


def _shown(origin: str) -> str:
    """Return a shipped file's bare name, else the path."""
    return next((name for name, entry in _shipped().items() if str(entry) == origin), origin)


def _read(file: Path | Traversable) -> Values:
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), StrictLoader) or {}
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not YAML ({' '.join(str(error).split())}): mend that line") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read ({error}): name a YAML file in UTF-8") from None
    if not isinstance(values, dict):
        raise UserError(f"{file} holds a {type(values).__name__}, not sections with keys: see conf/base.yaml")
    return {str(key): value for key, value in values.items()}


class StrictLoader(yaml.SafeLoader):
    """YAML in which a key stands once and 1e-3 is a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping; raise ConstructorError for a key that stands twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != _MERGE]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                problem = f"the key {key} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, node.value[place][0].start_mark)
        return super().construct_mapping(node, deep)


_MERGE = "tag:yaml.org,2002:merge"
# YAML 1.1 wants a point before the exponent, which nobody writes.
_NUMBER = re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")
StrictLoader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+0123456789"))
