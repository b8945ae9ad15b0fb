"""The checks of the bundle find what they are for: each test breaks a copy and names the fault."""

from __future__ import annotations

from typing import Any

import pytest
from bundle.reading import apply_target, merge, read_bundle
from bundle.shape import faults_of_file, faults_of_target
from bundle.tasks import faults_of_job


@pytest.fixture
def bundle() -> dict[str, Any]:
    return read_bundle()


def road_task(bundle: dict[str, Any], key: str) -> dict[str, Any]:
    [task] = [task for task in bundle["resources"]["jobs"]["road"]["tasks"] if task["task_key"] == key]
    return task


def faults(bundle: dict[str, Any], target: str = "dev") -> str:
    found = [*faults_of_file(bundle), *faults_of_target(bundle, target)]
    if not found:
        applied = apply_target(bundle, target)
        found = list(faults_of_job(applied["resources"]["jobs"]["road"], applied["artifacts"]))
    return "; ".join(found)


def test_the_whole_bundle_has_none(bundle: dict[str, Any]) -> None:
    assert faults(bundle) == faults(bundle, "staging") == faults(bundle, "prod") == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"resource": {}}, "top level: unknown key resource"),
        ({"bundle": {"nmae": "x"}}, "bundle: unknown key nmae"),
        ({"targets": {"dev": {"mode": "developement"}}}, "target dev: mode developement"),
        ({"targets": {"dev": {"default": False}}}, "not exactly one target"),
        ({"targets": {"dev": {"variables": {"worker": 1}}}}, "variable worker is set but not declared"),
        ({"variables": {"extra": {"description": "without a value"}}}, "no value assigned to required"),
        (
            {"variables": {"schedule": {"default": "UNPAUSED"}}},
            "jobs.road starts by itself outside production",
        ),
        ({"variables": {"schedule": {"default": "paused"}}}, "'paused' is not a valid PauseStatus"),
        ({"resources": {"jobs": {"road": {"shedule": {}}}}}, "Unexpected field 'shedule' for class Job"),
        ({"resources": {"volumes": {"raw": {"volume_type": "LOCAL"}}}}, "not a valid VolumeType"),
        ({"resources": {"schemas": {"other": {"name": "x"}}}}, "missing 1 required keyword-only argument"),
        ({"resources": {"models": {"old": {"name": "x"}}}}, "resources of kind models"),
        ({"resources": {"schemas": {"sequoia": {"name": "${var.shcema}"}}}}, "${var.shcema} names nothing"),
        (
            {"artifacts": {"wheel": {"build": "python -m pip wheel --wheel-dir out ."}}},
            "is not built by an artifact",
        ),
    ],
)
def test_a_wrong_key_or_value_is_found(bundle: dict[str, Any], change: dict[str, Any], fault: str) -> None:
    assert fault in faults(merge(bundle, change))


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("workspace", "production has no root_path"),
        ("run_as", "production has no run_as"),
        ("permissions", "production has permissions []"),
    ],
)
def test_production_without_its_safeguards_is_found(bundle: dict[str, Any], key: str, fault: str) -> None:
    del bundle["targets"]["prod"][key]
    assert fault in faults(bundle, "prod")
    assert faults(bundle, "dev") == ""


def test_a_missing_task_is_found(bundle: dict[str, Any]) -> None:
    bundle["resources"]["jobs"]["road"]["tasks"].remove(road_task(bundle, "promote"))
    assert "recommend depends on promote, which is no task" in faults(bundle)


def test_a_circle_is_found(bundle: dict[str, Any]) -> None:
    road_task(bundle, "index")["depends_on"] = [{"task_key": "report"}]
    assert "tasks wait for each other" in faults(bundle)


def test_an_undefined_cluster_and_the_one_left_over_are_found(bundle: dict[str, Any]) -> None:
    road_task(bundle, "train")["job_cluster_key"] = "gpu"
    found = faults(bundle)
    assert "train: job cluster gpu is not defined" in found
    assert "job cluster training is not used" in found


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        (["--config", "databricks.yaml", "training.epoch=3"], "did you mean training.epochs?"),
        (["--config", "base.yaml", "training.processes=many"], "training.processes = many must be a whole"),
        (["--config", "databricks.yaml"], "settings workspace, tables.namespace, "),
        (["--config", "databrick.yaml"], "no configuration file databrick.yaml"),
        (["--confg", "databricks.yaml"], "--confg"),
        (["ingest.raw={{job.parameters.rew}}"], "rew"),
    ],
)
def test_a_parameter_that_the_stage_refuses_is_found(
    bundle: dict[str, Any], parameters: list[str], fault: str
) -> None:
    road_task(bundle, "train")["spark_python_task"]["parameters"] = parameters
    found = faults(bundle)
    assert found.startswith("train: ")
    assert fault in found


def test_a_missing_script_and_one_of_another_stage_are_found(bundle: dict[str, Any]) -> None:
    road_task(bundle, "train")["spark_python_task"]["python_file"] = "jobs/tarin.py"
    assert "train: no file jobs/tarin.py" in faults(bundle)
