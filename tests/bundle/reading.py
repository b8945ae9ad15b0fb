"""Read databricks.yml as the Databricks CLI does: includes merged, a target applied, references filled in."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
REFERENCE = re.compile(r"\$\{([^}]+)\}")
MERGED = ("workspace", "resources", "permissions", "run_as", "presets")
USER = {"userName": "someone@example.com", "short_name": "someone"}


class BundleError(Exception):
    """What the Databricks CLI would refuse."""


def read_bundle(root: Path = ROOT) -> dict[str, Any]:
    """Read databricks.yml and the files it includes; relative paths become relative to the root."""
    bundle: dict[str, Any] = yaml.safe_load((root / "databricks.yml").read_text(encoding="utf-8"))
    for pattern in bundle.get("include", []):
        included = sorted(root.glob(pattern))
        if not included:
            raise BundleError(f"include {pattern} matches no file")
        for path in included:
            part = yaml.safe_load(path.read_text(encoding="utf-8"))
            bundle = merge(bundle, _from_root(part, path.parent.relative_to(root)))
    return bundle


def apply_target(bundle: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the bundle as the target deploys it, without any `${...}` left."""
    chosen = bundle["targets"][target] or {}
    applied = deepcopy(bundle)
    for key in MERGED:
        if key in chosen:
            applied[key] = merge(applied[key], chosen[key]) if key in applied else chosen[key]
    applied["bundle"] = {**applied["bundle"], "target": target, "mode": chosen.get("mode")}
    applied["workspace"] = {"current_user": USER, **applied.get("workspace", {})}
    applied["var"] = _variables(applied, chosen.get("variables", {}))
    return _filled(applied, applied)


def merge(low: Any, high: Any) -> Any:
    """Merge mappings key by key; of anything else the higher wins."""
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return deepcopy(high)
    return {**low, **{key: merge(low[key], value) if key in low else value for key, value in high.items()}}


def _variables(bundle: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    declared = bundle.get("variables", {})
    for name in chosen.keys() - declared.keys():
        raise BundleError(f"variable {name} is set but not declared")
    values = {**{name: entry.get("default") for name, entry in declared.items()}, **chosen}
    for name, value in values.items():
        if value is None:
            raise BundleError(f"variable {name} has no value")
    return values


def _from_root(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _from_root(entry, folder) for key, entry in value.items()}
    if isinstance(value, list):
        return [_from_root(entry, folder) for entry in value]
    if isinstance(value, str) and value.startswith(("./", "../")):
        up = len(folder.parts)
        assert value.startswith("../" * up), f"{value} in {folder} does not lead to the root"
        return value.removeprefix("../" * up)
    return value


def _filled(value: Any, bundle: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(entry, bundle) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, bundle) for entry in value]
    return _text(value, bundle) if isinstance(value, str) else value


def _text(text: str, bundle: dict[str, Any]) -> Any:
    whole = REFERENCE.fullmatch(text)
    if whole:
        # Alone in its value, a reference keeps its type: a number stays a number.
        return _filled(_look_up(whole[1], bundle), bundle)
    return REFERENCE.sub(lambda found: str(_text(found[0], bundle)), text)


def _look_up(reference: str, bundle: dict[str, Any]) -> Any:
    value: Any = bundle
    for part in reference.split("."):
        if not isinstance(value, dict) or part not in value:
            raise BundleError(f"reference ${{{reference}}} names nothing")
        value = value[part]
    return value
