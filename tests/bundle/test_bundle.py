"""databricks.yml for both targets: its form, its tasks, and that it runs the whole road."""

from __future__ import annotations

import re
from distutils.core import run_setup
from typing import Any

import pytest
from bundle.reading import ROOT, apply_target, read_bundle
from bundle.shape import faults_of_file, faults_of_target
from bundle.tasks import ancestors, faults_of_job, graph, settings_of, stage_of

from sequoia.stages import ROAD

TARGETS = ("dev", "prod")

# What a stage reads must be there before it starts.
NEEDS = {
    "ingest": set(),
    "index": {"ingest"},
    "sequences": {"ingest", "index"},
    "negatives": {"sequences"},
    "train": {"sequences"},
    "evaluate": {"sequences", "negatives", "train"},
    "promote": {"evaluate"},
    "recommend": {"ingest", "promote"},
    "report": set(ROAD) - {"report"},
}


@pytest.fixture(scope="module", params=TARGETS)
def applied(request: pytest.FixtureRequest) -> dict[str, Any]:
    return apply_target(read_bundle(), request.param)


def test_the_file_has_the_targets_and_no_unknown_key() -> None:
    bundle = read_bundle()
    assert set(bundle["targets"]) == set(TARGETS)
    assert list(faults_of_file(bundle)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_every_resource_passes_databricks_own_types(target: str) -> None:
    assert list(faults_of_target(read_bundle(), target)) == []


def test_every_task_would_start(applied: dict[str, Any]) -> None:
    for job in applied["resources"]["jobs"].values():
        assert list(faults_of_job(job, applied["artifacts"])) == []


def test_the_road_has_every_stage_once_after_what_it_needs(applied: dict[str, Any]) -> None:
    road = applied["resources"]["jobs"]["road"]
    assert sorted(stage_of(task) for task in road["tasks"]) == sorted(ROAD)
    assert all(task["task_key"] == stage_of(task) for task in road["tasks"])
    assert NEEDS.keys() == ROAD.keys()
    for stage, needed in NEEDS.items():
        assert needed <= ancestors(graph(road), stage), stage


def test_all_tasks_share_one_place_inside_the_bundle_s_catalog(applied: dict[str, Any]) -> None:
    catalog, resources = applied["var"]["catalog"], applied["resources"]
    schema = resources["schemas"]["sequoia"]["name"]
    for job in resources["jobs"].values():
        for settings in (settings_of(task, job) for task in job["tasks"]):
            assert settings.tables.namespace == f"{catalog}.{schema}"
            assert (
                settings.workspace
                == f"/Volumes/{catalog}/{schema}/{resources['volumes']['workspace']['name']}"
            )
            assert settings.tracking.registered_model == f"{catalog}.{schema}.next_item"
            assert settings.tracking.registry_uri == "databricks-uc"
            assert settings.tracking.experiment.startswith("/")
    road = resources["jobs"]["road"]
    ingest = settings_of(road["tasks"][0], road).ingest
    assert ingest.raw == f"/Volumes/{catalog}/{schema}/{resources['volumes']['raw']['name']}"
    assert ingest.category is None


def test_horovod_trains_on_one_machine_of_the_last_runtime_that_has_it(applied: dict[str, Any]) -> None:
    road = applied["resources"]["jobs"]["road"]
    clusters = {entry["job_cluster_key"]: entry["new_cluster"] for entry in road["job_clusters"]}
    [train] = [task for task in road["tasks"] if stage_of(task) == "train"]
    machine = clusters[train["job_cluster_key"]]
    assert settings_of(train, road).training.launcher == "horovod"
    assert machine["num_workers"] == 0
    assert {cluster["spark_version"] for cluster in clusters.values()} <= {
        "15.4.x-cpu-ml-scala2.12",
        "15.4.x-gpu-ml-scala2.12",
    }


def test_the_wheel_brings_no_second_spark_to_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    project = run_setup("setup.py", stop_after="init")
    brought = {re.split("[=<>]", line)[0] for line in project.install_requires}
    local = {re.split("[=<>]", line)[0] for line in project.extras_require["local"]}
    assert {"pyspark", "delta-spark", "torch", "petastorm", "pyarrow"} <= local
    assert {"click", "mlflow", "pydantic", "pyyaml"} <= brought
    assert not brought & local


def test_development_is_paused_and_production_runs_by_itself() -> None:
    status = {
        target: apply_target(read_bundle(), target)["resources"]["jobs"]["road"]["schedule"]["pause_status"]
        for target in TARGETS
    }
    assert status == {"dev": "PAUSED", "prod": "UNPAUSED"}
