"""Faults in the form of a bundle: keys, modes, types of resources, and what production must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bundle.reading import BundleError, apply_target
from databricks.bundles.experiments import MlflowExperiment
from databricks.bundles.jobs import Job
from databricks.bundles.registered_models import RegisteredModel
from databricks.bundles.schemas import Schema
from databricks.bundles.volumes import Volume

TOP = "bundle include variables artifacts sync workspace resources targets permissions run_as presets".split()
BUNDLE = "name uuid databricks_cli_version engine git deployment".split()
TARGET = (
    "mode default variables workspace resources permissions run_as presets artifacts git sync bundle".split()
)
VARIABLE = "description default type lookup".split()
ARTIFACT = "type path build files dynamic_version executable".split()
WORKSPACE = (
    "host profile root_path file_path artifact_path state_path resource_path auth_type current_user".split()
)
LEVELS = ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE")
TYPES = {
    "jobs": Job,
    "schemas": Schema,
    "volumes": Volume,
    "registered_models": RegisteredModel,
    "experiments": MlflowExperiment,
}


def faults_of_file(bundle: dict[str, Any]) -> Iterator[str]:
    """Yield unknown keys, wrong modes, and resources that lack a required field as they are written.

    The CLI's schema looks at a target's override alone: it must say again what its type requires.
    """
    yield from _unknown("top level", bundle, TOP)
    yield from _unknown("bundle", bundle["bundle"], BUNDLE)
    for name, variable in bundle.get("variables", {}).items():
        yield from _unknown(f"variable {name}", variable, VARIABLE)
    for name, artifact in bundle.get("artifacts", {}).items():
        yield from _unknown(f"artifact {name}", artifact, ARTIFACT)
    for name, target in bundle["targets"].items():
        yield from _unknown(f"target {name}", target, TARGET)
        if target.get("mode") not in ("development", "production"):
            yield f"target {name}: mode {target.get('mode')}"
        yield from _resources(f"target {name}: ", target.get("resources", {}))
    yield from _resources("", bundle["resources"])
    if sum(bool(target.get("default")) for target in bundle["targets"].values()) != 1:
        yield "not exactly one target is the default"


def faults_of_target(
    bundle: dict[str, Any], target: str, given: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield what the typed classes refuse, what production lacks, and schedules that run outside of it."""
    try:
        applied = apply_target(bundle, target, given)
    except BundleError as error:
        yield str(error)
        return
    yield from _unknown("workspace", applied["workspace"], WORKSPACE)
    yield from _resources("", applied["resources"])
    yield from _production(applied) if applied["bundle"]["mode"] == "production" else _paused(applied)


def _resources(where: str, kinds: dict[str, Any]) -> Iterator[str]:
    for kind, resources in kinds.items():
        if kind not in TYPES:
            yield f"{where}resources of kind {kind}"
            continue
        for name, resource in resources.items():
            try:
                TYPES[kind].from_dict(resource)
            except (ValueError, TypeError) as error:
                yield f"{where}{kind}.{name}: {error}"


def _unknown(where: str, found: dict[str, Any], known: list[str]) -> Iterator[str]:
    for key in found.keys() - set(known):
        yield f"{where}: unknown key {key}"


def _production(applied: dict[str, Any]) -> Iterator[str]:
    if not str(applied["workspace"].get("root_path", "")).startswith("/Workspace/"):
        yield "production has no root_path"
    if not applied.get("run_as", {}).keys() & {"service_principal_name", "user_name"}:
        yield "production has no run_as"
    levels = [entry.get("level") for entry in applied.get("permissions", [])]
    if not levels or any(level not in LEVELS for level in levels):
        yield f"production has permissions {levels}"


def _paused(applied: dict[str, Any]) -> Iterator[str]:
    for name, job in applied["resources"].get("jobs", {}).items():
        starters = [job[key] for key in ("schedule", "trigger", "continuous") if key in job]
        if any(starter.get("pause_status") != "PAUSED" for starter in starters):
            yield f"jobs.{name} starts by itself outside production"
