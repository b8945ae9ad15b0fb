"""Read databricks.yml as the Databricks CLI does: includes merged, a target applied, references filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
REFERENCE = re.compile(r"\$\{([^}]+)\}")
MERGED = ("workspace", "resources", "permissions", "run_as", "presets")
USER = {"userName": "someone@example.com", "short_name": "someone"}
ID = 623154  # of any resource; Databricks gives it when the bundle is deployed

# Lists that are merged entry by entry; others are put one behind the other.
KEYS = {"tasks": "task_key", "job_clusters": "job_cluster_key", "parameters": "name", "grants": "principal"}

# What a shop writes into .databricks/bundle/<target>/variable-overrides.json.
EVERYWHERE = {"catalog": "shop-data", "data_node_type": "i4i.xlarge", "train_node_type": "m6i.2xlarge"}
PRINCIPAL = "7b1c3f6e-5d2a-4f0b-9c8d-1e2f3a4b5c6d"
DEPLOYED = {**EVERYWHERE, "runs_as": PRINCIPAL, "operators": "data-platform", "alerts": "oncall@example.com"}
GIVEN = {"dev": EVERYWHERE, "staging": DEPLOYED, "prod": DEPLOYED}


class BundleError(Exception):
    """What the Databricks CLI would refuse."""


def read_bundle(root: Path = ROOT) -> dict[str, Any]:
    """Read databricks.yml and the files it includes; relative paths become relative to the root."""
    bundle = deepcopy(_parsed(root / "databricks.yml"))
    for pattern in bundle.get("include", []):
        included = sorted(root.glob(pattern))
        if not included:
            raise BundleError(f"include {pattern} matches no file")
        for path in included:
            bundle = merge(bundle, _from_root(_parsed(path), path.parent.relative_to(root)))
    return bundle


@cache
def _parsed(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return parsed


def apply_target(
    bundle: dict[str, Any], target: str, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the bundle as the target deploys it, without any `${...}` left; `given` is the shop's file."""
    chosen = bundle["targets"][target] or {}
    applied = deepcopy(bundle)
    for key in MERGED:
        if key in chosen:
            applied[key] = merge(applied[key], chosen[key]) if key in applied else chosen[key]
    applied["bundle"] = {**applied["bundle"], "target": target, "mode": chosen.get("mode")}
    applied["workspace"] = {"current_user": USER, **applied.get("workspace", {})}
    own = chosen.get("variables", {})
    applied["var"] = _variables(applied, {**own, **(GIVEN[target] if given is None else given)})
    if chosen.get("mode") == "development":
        # So that developers who share a catalog do not share a schema; references see the longer name.
        for schema in applied["resources"].get("schemas", {}).values():
            schema["name"] = f"dev_{USER['short_name']}_{schema['name']}"
    return _filled(applied, applied)


def merge(low: Any, high: Any, key: str = "") -> Any:
    """Merge mappings key by key, lists as KEYS says; of anything else the higher wins."""
    if isinstance(low, list) and isinstance(high, list):
        return _merge_lists(low, high, KEYS.get(key))
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return deepcopy(high)
    merged = {name: merge(low[name], value, name) if name in low else value for name, value in high.items()}
    return {**low, **merged}


def _merge_lists(low: list[Any], high: list[Any], by: str | None) -> list[Any]:
    if by is None or not all(isinstance(entry, dict) and by in entry for entry in [*low, *high]):
        return [*low, *high]
    merged: dict[Any, Any] = {}
    for entry in [*low, *high]:
        merged[entry[by]] = merge(merged[entry[by]], entry) if entry[by] in merged else deepcopy(entry)
    return list(merged.values())


def _variables(bundle: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    declared = bundle.get("variables", {})
    for name in chosen.keys() - declared.keys():
        raise BundleError(f"variable {name} is set but not declared")
    values = {**{name: entry.get("default") for name, entry in declared.items()}, **chosen}
    for name, value in values.items():
        if value is None:
            raise BundleError(f"no value assigned to required variable {name}")
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
    parts = reference.split(".")
    if len(parts) == 4 and parts[0] == "resources" and parts[3] == "id":
        _look_up(".".join(parts[:3]), bundle)
        return ID
    for part in parts:
        if not isinstance(value, dict) or part not in value:
            raise BundleError(f"reference ${{{reference}}} names nothing")
        value = value[part]
    return value
