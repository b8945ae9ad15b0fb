"""databricks.yml for its targets: its form, its tasks, and that it runs the whole road."""

from __future__ import annotations

from typing import Any

import pytest
from bundle.reading import DEPLOYED, EVERYWHERE, GIVEN, USER, apply_target, read_bundle
from bundle.shape import faults_of_file, faults_of_target
from bundle.tasks import (
    RUN_ID,
    faults_of_job,
    graph,
    parsed_by,
    scripts,
    scripts_run_by,
    settings_of,
    stage_of,
    upstream,
)

from sequoia.config import Config, load_config
from sequoia.road.stages import ROAD, ancestors

TARGETS = ("dev", "staging", "prod")


@pytest.fixture(scope="module", params=TARGETS)
def applied(request: pytest.FixtureRequest) -> dict[str, Any]:
    return apply_target(read_bundle(), request.param)


@pytest.fixture(scope="module")
def road(applied: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = applied["resources"]["jobs"]["road"]
    return job


@pytest.fixture(scope="module")
def tasks(road: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["task_key"]: task for task in road["tasks"]}


@pytest.fixture(scope="module")
def settings(road: dict[str, Any]) -> dict[str, Config]:
    """What each script of the road would run with."""
    return {stage_of(task): settings_of(task, road) for task in scripts(road)}


def test_the_file_has_the_targets_and_nothing_unknown_or_missing_as_it_is_written() -> None:
    bundle = read_bundle()
    assert set(bundle["targets"]) == set(TARGETS)
    assert list(faults_of_file(bundle)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_every_resource_of_a_target_passes_databricks_own_types(target: str) -> None:
    assert list(faults_of_target(read_bundle(), target)) == []


def test_every_task_would_start(applied: dict[str, Any]) -> None:
    for job in applied["resources"]["jobs"].values():
        assert list(faults_of_job(job, applied["artifacts"])) == []


@pytest.mark.parametrize("target", TARGETS)
def test_what_only_the_shop_knows_has_no_default_and_is_named_when_missing(target: str) -> None:
    for missing in GIVEN[target]:
        given = {name: value for name, value in GIVEN[target].items() if name != missing}
        [fault] = faults_of_target(read_bundle(), target, given)
        assert fault == f"no value assigned to required variable {missing}"
    assert set(EVERYWHERE) < set(DEPLOYED)


def test_every_stage_waits_for_those_it_builds_on_and_no_others(road: dict[str, Any]) -> None:
    assert {stage_of(task) for task in scripts(road)} == {*ROAD, "rollback", "release", "clean"}
    assert all(task["task_key"] == stage_of(task) for task in scripts(road))
    for stage in ROAD:
        assert upstream(graph(road), stage) & ROAD.keys() == ancestors(stage), stage


def test_all_tasks_share_one_place_inside_the_bundle_s_catalog(
    applied: dict[str, Any], settings: dict[str, Config]
) -> None:
    resources = applied["resources"]
    schema = resources["schemas"]["sequoia"]["name"]
    for own in settings.values():
        # With a hyphen: SQL needs quotes around such a catalog.
        assert own.tables.namespace == f"shop-data.{schema}"
        assert own.workspace == f"/Volumes/shop-data/{schema}/{resources['volumes']['workspace']['name']}"
        assert own.tracking.registered_model == f"shop-data.{schema}.next_item"
        assert own.tracking.registry_uri == "databricks-uc"
        assert own.tracking.experiment == resources["experiments"]["sequoia"]["name"]
    ingest = settings["ingest"].ingest
    assert ingest.raw == f"/Volumes/shop-data/{schema}/{resources['volumes']['raw']['name']}"
    assert ingest.category is None


def test_all_tasks_of_a_run_carry_its_id(settings: dict[str, Config]) -> None:
    assert {own.run_id for own in settings.values()} == {RUN_ID}


def test_a_refused_model_does_not_fail_the_run(settings: dict[str, Config]) -> None:
    assert {settings[stage].promote.refused_exit_code for stage in ROAD} == {0}


def test_horovod_trains_on_one_machine_of_the_last_runtime_that_has_it(
    road: dict[str, Any], tasks: dict[str, dict[str, Any]], settings: dict[str, Config]
) -> None:
    clusters = {entry["job_cluster_key"]: entry["new_cluster"] for entry in road["job_clusters"]}
    assert {cluster["spark_version"] for cluster in clusters.values()} == {"15.4.x-cpu-ml-scala2.12"}
    assert {cluster["data_security_mode"] for cluster in clusters.values()} == {"SINGLE_USER"}
    assert clusters[tasks["train"]["job_cluster_key"]]["num_workers"] == 0
    assert settings["train"].training.launcher == "horovod"


def test_no_machine_waits_for_the_training(tasks: dict[str, dict[str, Any]]) -> None:
    """A cluster goes when the last task that names it has ended."""
    before = {tasks[stage]["job_cluster_key"] for stage in ROAD if "train" not in ancestors(stage)} - {
        tasks["train"]["job_cluster_key"]
    }
    after = {tasks[stage]["job_cluster_key"] for stage in ROAD if "train" in ancestors(stage)}
    assert before and after and not before & after


def test_a_lost_machine_costs_one_attempt_and_nothing_hangs_for_ever(
    road: dict[str, Any], tasks: dict[str, dict[str, Any]]
) -> None:
    for stage in ROAD:
        assert tasks[stage]["max_retries"] >= 1, stage
        assert tasks[stage]["min_retry_interval_millis"] >= 10_000, stage
        assert 0 < tasks[stage]["timeout_seconds"] <= road["timeout_seconds"], stage
        # The same work would run out of the same time, except where it goes on from a checkpoint.
        assert tasks[stage]["retry_on_timeout"] == (stage == "train"), stage
    assert tasks["rollback"]["max_retries"] == 0
    assert tasks["clean"]["max_retries"] == 1


def test_failures_and_long_runs_are_told(applied: dict[str, Any], road: dict[str, Any]) -> None:
    [rule] = road["health"]["rules"]
    assert (rule["metric"], rule["op"]) == ("RUN_DURATION_SECONDS", "GREATER_THAN")
    assert 0 < rule["value"] < road["timeout_seconds"]
    told = road["email_notifications"]
    assert told["on_failure"] == told["on_duration_warning_threshold_exceeded"] == [applied["var"]["alerts"]]
    assert "@" in applied["var"]["alerts"]


def test_two_runs_never_go_on_at_once_and_a_rollback_is_one_of_them(
    applied: dict[str, Any], road: dict[str, Any], tasks: dict[str, dict[str, Any]]
) -> None:
    assert road["max_concurrent_runs"] == 1
    assert road["queue"] == {"enabled": True}
    [asks] = applied["resources"]["jobs"]["rollback"]["tasks"]
    given = asks["run_job_task"]["job_parameters"]
    assert {entry["name"] for entry in road["parameters"]} >= given.keys()
    condition = tasks["rolls_back"]["condition_task"]
    assert (condition["op"], condition["left"]) == ("EQUAL_TO", "{{job.parameters.action}}")
    [action] = [entry["default"] for entry in road["parameters"] if entry["name"] == "action"]
    assert given["action"] == condition["right"] != action
    assert tasks["rollback"]["depends_on"] == [{"task_key": "rolls_back", "outcome": "true"}]
    assert tasks["releases"]["depends_on"] == [{"task_key": "rolls_back", "outcome": "false"}]
    # Two of them are left out, so not all can have succeeded.
    assert graph(road)["recommend"] == {"promote", "rollback", "release"}
    assert tasks["recommend"]["run_if"] == "NONE_FAILED"


def test_a_rollback_goes_where_it_is_asked_to(
    applied: dict[str, Any], road: dict[str, Any], tasks: dict[str, dict[str, Any]]
) -> None:
    [asks] = applied["resources"]["jobs"]["rollback"]["tasks"]
    for name in ("to", "reason"):
        assert asks["run_job_task"]["job_parameters"][name] == f"{{{{job.parameters.{name}}}}}"
    by_default = parsed_by(tasks["rollback"], road)
    assert (by_default["to"], by_default["reason"]) == (None, "")
    asked = parsed_by(tasks["rollback"], road, to="3", reason="sold out, again")
    assert (asked["to"], asked["reason"]) == (3, "sold out, again")


def test_a_release_copies_to_the_target_s_own_model_and_is_a_run_of_the_road(
    applied: dict[str, Any], road: dict[str, Any], tasks: dict[str, dict[str, Any]]
) -> None:
    [asks] = applied["resources"]["jobs"]["release"]["tasks"]
    given = asks["run_job_task"]["job_parameters"]
    condition = tasks["releases"]["condition_task"]
    assert (condition["left"], condition["right"]) == ("{{job.parameters.action}}", given["action"])
    assert tasks["release"]["depends_on"] == [{"task_key": "releases", "outcome": "true"}]
    assert given["from"] == "{{job.parameters.from}}"
    parsed = parsed_by(tasks["release"], road, **{"from": "shop-data.sequoia_staging.next_item"})
    assert parsed["source"] == "shop-data.sequoia_staging.next_item"
    assert parsed["target"] == settings_of(tasks["release"], road).tracking.registered_model


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ({}, set(ROAD)),
        ({"action": "rollback"}, {"rollback", "recommend", "report"}),
        ({"action": "release"}, {"release", "recommend", "report"}),
        # No stage runs beside a clean: a run of this job does one or the other.
        ({"action": "clean"}, {"clean"}),
    ],
)
def test_a_run_does_what_its_action_says_and_nothing_else(
    road: dict[str, Any], action: dict[str, str], wanted: set[str]
) -> None:
    assert scripts_run_by(road, **action) == wanted


def test_a_clean_is_a_run_of_the_road_and_may_be_a_dry_one(
    applied: dict[str, Any], road: dict[str, Any], tasks: dict[str, dict[str, Any]]
) -> None:
    job = applied["resources"]["jobs"]["clean"]
    [asks] = job["tasks"]
    given = asks["run_job_task"]["job_parameters"]
    assert given == {"action": "clean", "dry_run": "{{job.parameters.dry_run}}"}
    assert {entry["name"] for entry in road["parameters"]} >= given.keys()
    assert [entry["default"] for entry in job["parameters"]] == ["false"]
    for chosen, dry in (({}, False), ({"dry_run": "true"}, True)):
        parsed = parsed_by(tasks["clean"], road, **chosen)
        assert not parsed["dry_run"]
        assert load_config(parsed["config"], parsed["overrides"]).retention.dry_run is dry


def test_who_runs_the_jobs_may_do_all_that_they_do(applied: dict[str, Any]) -> None:
    runs_as = applied["var"]["runs_as"]
    deployed = applied["bundle"]["mode"] == "production"
    assert (runs_as == USER["userName"]) != deployed
    grants = {
        entry["principal"]: set(entry["privileges"])
        for entry in applied["resources"]["schemas"]["sequoia"]["grants"]
    }
    tables = {"USE_SCHEMA", "CREATE_TABLE", "SELECT", "MODIFY"}
    models = {"CREATE_MODEL", "EXECUTE"}  # aliases take the owner: who creates the model
    assert grants.pop(runs_as) == tables | models | {"READ_VOLUME", "WRITE_VOLUME"}
    assert "registered_models" not in applied["resources"]
    if deployed:
        assert applied["run_as"] == {"service_principal_name": runs_as}
        assert {"level": "CAN_MANAGE", "service_principal_name": runs_as} in applied["permissions"]
        # Read, and nothing that changes a result.
        assert grants.pop("data-platform") == {"USE_SCHEMA", "SELECT", "EXECUTE", "READ_VOLUME"}
    assert grants == {}


def test_the_experiment_lies_in_a_folder_that_every_workspace_has(applied: dict[str, Any]) -> None:
    name = applied["resources"]["experiments"]["sequoia"]["name"]
    assert name.rpartition("/")[0] == f"/Users/{applied['var']['runs_as']}"


def test_only_production_starts_by_itself() -> None:
    jobs = {target: apply_target(read_bundle(), target)["resources"]["jobs"] for target in TARGETS}
    status = {target: jobs[target]["road"]["schedule"]["pause_status"] for target in TARGETS}
    assert status == {"dev": "PAUSED", "staging": "PAUSED", "prod": "UNPAUSED"}
    # Nothing is removed before somebody asks for it.
    assert {jobs[target]["clean"]["schedule"]["pause_status"] for target in TARGETS} == {"PAUSED"}
