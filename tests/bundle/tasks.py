"""Faults in the tasks of a job: graph, clusters, files, and parameters by the project's own parsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import click
from bundle.reading import ROOT

from sequoia.cli import cli
from sequoia.config import Config, load_config
from sequoia.errors import UserError

JOB_PARAMETER = re.compile(r"\{\{job\.parameters\.(\w+)\}\}")
RUN_ID = "961742385013"  # as Databricks makes them: a number


def faults_of_job(job: dict[str, Any], artifacts: dict[str, Any], root: Path = ROOT) -> Iterator[str]:
    """Yield what would make a task of the job fail at once."""
    yield from _faults_of_graph(graph(job))
    clusters = {entry["job_cluster_key"] for entry in job.get("job_clusters", [])}
    for task in scripts(job):
        key = task["task_key"]
        if task.get("job_cluster_key") not in clusters:
            yield f"{key}: job cluster {task.get('job_cluster_key')} is not defined"
        wheels = [library["whl"] for library in task.get("libraries", []) if "whl" in library]
        if not wheels or not all(_is_built(wheel, artifacts, root) for wheel in wheels):
            yield f"{key}: wheel {wheels} is not built by an artifact"
        yield from _faults_of_script(task, root)
        try:
            settings_of(task, job)
        except (UserError, click.ClickException, KeyError) as error:
            yield f"{key}: {error}"
    unused = clusters - {task.get("job_cluster_key") for task in job["tasks"]}
    yield from (f"job cluster {key} is not used" for key in unused)


def scripts(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks that run a script; the others decide, or start another job."""
    return [task for task in job["tasks"] if not task.keys() & {"condition_task", "run_job_task"}]


def graph(job: dict[str, Any]) -> dict[str, set[str]]:
    """Return the tasks with those they wait for."""
    tasks = job["tasks"]
    return {task["task_key"]: {entry["task_key"] for entry in task.get("depends_on", [])} for task in tasks}


def upstream(tasks: dict[str, set[str]], task: str) -> set[str]:
    """Return every task that has ended when this one starts."""
    return tasks[task].union(*(upstream(tasks, before) for before in tasks[task]))


def scripts_run_by(job: dict[str, Any], **chosen: str) -> set[str]:
    """Return the tasks whose scripts run, none failing, when the job is started with these parameters."""
    tasks = {task["task_key"]: task for task in job["tasks"]}
    ran: dict[str, str] = {}  # with the outcome, nothing for a script
    for key in TopologicalSorter(graph(job)).static_order():
        task = tasks[key]
        waits = task.get("depends_on", [])
        met = [ran.get(one["task_key"]) == one.get("outcome", "") for one in waits]
        if not waits or (any(met) if task.get("run_if") == "NONE_FAILED" else all(met)):
            ran[key] = _outcome(task["condition_task"], job, chosen) if "condition_task" in task else ""
    return {task["task_key"] for task in scripts(job)} & ran.keys()


def _outcome(condition: dict[str, str], job: dict[str, Any], chosen: dict[str, str]) -> str:
    assert condition["op"] == "EQUAL_TO"
    return str(_given(condition["left"], job, chosen) == condition["right"]).lower()


def settings_of(task: dict[str, Any], job: dict[str, Any]) -> Config:
    """Return what the task's script would run with."""
    parsed = parsed_by(task, job)
    return load_config(parsed["config"], parsed["overrides"])


def parsed_by(task: dict[str, Any], job: dict[str, Any], **chosen: str) -> dict[str, Any]:
    """Parse the task's parameters as its script would, with those of the job or those chosen for a run."""
    arguments = [_given(text, job, chosen) for text in task["spark_python_task"].get("parameters", [])]
    command = cli.commands[stage_of(task)]
    return command.make_context(command.name, arguments).params


def _given(text: str, job: dict[str, Any], chosen: dict[str, str]) -> str:
    """Fill in what a run of the job is given, its own parameters where nothing else is chosen."""
    given = {entry["name"]: entry["default"] for entry in job.get("parameters", [])} | chosen
    return JOB_PARAMETER.sub(lambda found: str(given[found[1]]), text.replace("{{job.run_id}}", RUN_ID))


def stage_of(task: dict[str, Any]) -> str:
    """Return the command that the task's script runs."""
    return Path(task["spark_python_task"]["python_file"]).stem


def _faults_of_graph(tasks: dict[str, set[str]]) -> Iterator[str]:
    for task, before in tasks.items():
        for missing in before - tasks.keys():
            yield f"{task} depends on {missing}, which is no task"
    try:
        TopologicalSorter(tasks).prepare()
    except CycleError as error:
        yield f"tasks wait for each other: {error.args[1]}"


def _faults_of_script(task: dict[str, Any], root: Path) -> Iterator[str]:
    script = root / task["spark_python_task"]["python_file"]
    if not script.is_file():
        yield f"{task['task_key']}: no file {script.relative_to(root)}"
    elif f'job("{script.stem}")' not in script.read_text(encoding="utf-8"):
        yield f"{task['task_key']}: {script.name} does not run {script.stem}"


def _is_built(wheel: str, artifacts: dict[str, Any], root: Path) -> bool:
    folders = {
        Path(artifact["path"]) / found[1]
        for artifact in artifacts.values()
        if artifact["type"] == "whl" and (root / artifact["path"] / "setup.py").is_file()
        if (found := re.search(r"--wheel-dir (\S+)", artifact["build"]))
    }
    return Path(wheel).parent in folders
