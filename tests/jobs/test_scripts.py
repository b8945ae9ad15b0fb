"""Every job file by itself: its parser, its help, its exit codes, without starting Spark."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from sequoia.cli import cli
from sequoia.road.stages import ROAD
from sequoia.spark import DELTA_PACKAGE

JOBS = Path(__file__).parents[2] / "jobs"
SCRIPTS = sorted(path.stem for path in JOBS.glob("*.py") if path.stem != "__init__")


def run_script(name: str, *arguments: str) -> int:
    """Run a job file as Python would, in this process; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"{name}.py", *arguments])
        try:
            runpy.run_path(str(JOBS / f"{name}.py"), run_name="__main__")
        except SystemExit as ended:
            # To a Databricks task SystemExit(0) is a failure, too: it is made visible here.
            return int(ended.code or -1)
    return 0


def test_there_is_a_job_for_every_stage_and_for_the_commands_beside_them() -> None:
    assert set(SCRIPTS) == {*ROAD, "run", "rollback", "release", "clean"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_job_is_the_command_of_its_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script(name, "--help") == 0
    shown = capsys.readouterr().out
    assert f"Usage: jobs/{name}.py [OPTIONS]" in shown
    first = (cli.commands[name].help or "").split(";")[0].split(",")[0]
    assert " ".join(first.split()) in " ".join(shown.split())


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_job_says_the_three_ways_to_run_it(name: str) -> None:
    text = (JOBS / f"{name}.py").read_text(encoding="utf-8").replace("\\\n        ", "")
    for way in (
        f"spark-submit --packages {DELTA_PACKAGE} --py-files dist/sequoia-*.zip jobs/{name}.py ",
        f"sequoia {name} ",
        "databricks bundle run ",
    ):
        assert way in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["training.epoch=3"], "sequoia: unknown setting training.epoch: did you mean training.epochs?"),
        (["--config", "nowhere.yaml"], "sequoia: no configuration file nowhere.yaml"),
        (["--confg", "base.yaml"], "No such option"),
    ],
)
def test_a_wrong_parameter_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_script("ingest", *arguments) == 2
    assert sentence in capsys.readouterr().err
