"""The targets beside each other: nothing is shared, and a release goes from one to the next."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from bundle.reading import ROOT, USER, apply_target, read_bundle
from bundle.tasks import scripts, settings_of, stage_of

TARGETS = ("dev", "staging", "prod")


def own_places(target: str) -> dict[str, str | None]:
    """Return where a target's jobs read and write, in the one catalog that all targets are given here."""
    road = apply_target(read_bundle(), target)["resources"]["jobs"]["road"]
    own = {stage_of(task): settings_of(task, road) for task in scripts(road)}["ingest"]
    return {
        "workspace": own.workspace,
        "namespace": own.tables.namespace,
        "raw": own.ingest.raw,
        "experiment": own.tracking.experiment,
        "model": own.tracking.registered_model,
    }


def test_targets_in_one_catalog_share_no_table_volume_lock_experiment_or_model() -> None:
    places = [own_places(target) for target in TARGETS]
    assert {place["namespace"] for place in places} == {
        "shop-data.dev_someone_sequoia",
        "shop-data.sequoia_staging",
        "shop-data.sequoia",
    }
    for what in places[0]:
        assert len({place[what] for place in places}) == len(TARGETS), what


@pytest.mark.parametrize("file", ["docs/databricks.md", "conf/databricks/release.yml", "jobs/release.py"])
def test_a_release_as_it_is_documented_copies_the_model_of_the_target_before(file: str) -> None:
    written = (ROOT / file).read_text(encoding="utf-8").replace("<you>", USER["short_name"])
    found = re.findall(r"run release -t (\w+) --params\s+(?:# )?from=([\w.-]+)", written)
    before = dict(pairwise(TARGETS))
    assert found
    for source, target in before.items():
        for named in [model for into, model in found if into == target]:
            assert named == own_places(source)["model"]
    assert {into for into, _ in found} <= set(before.values())


def test_jobs_tasks_and_parameters_that_the_documents_name_exist() -> None:
    jobs = apply_target(read_bundle(), "dev")["resources"]["jobs"]
    files = ["README.md", "docs/databricks.md", *(str(job) for job in (ROOT / "jobs").glob("*.py"))]
    written = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    runs = re.findall(r"databricks bundle run (?!--)(\w+)((?: -\S+ [\w./=,<>-]+)*)", written)
    assert {name for name, _ in runs} == set(jobs)
    for name, options in runs:
        given = dict(pairwise(options.split()))
        assert given.get("-t", "dev") in TARGETS
        tasks = {task["task_key"] for task in jobs[name]["tasks"]}
        assert given.get("--only", "road" if name != "road" else "ingest") in tasks
        parameters = {entry["name"] for entry in jobs[name].get("parameters", [])}
        asked = [pair.partition("=")[0] for pair in given.get("--params", "").split(",") if pair]
        assert set(asked) <= parameters, (name, options)
