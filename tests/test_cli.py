"""The commands: which stages they choose, what they print, and the codes they end with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sequoia import provenance
from sequoia.cli import cli
from sequoia.config import load_config
from sequoia.errors import LockHeldError, UserError
from sequoia.guard import guarded
from sequoia.road import walk
from sequoia.road.lock import WorkspaceLock
from sequoia.road.stage import Context, StageResult
from sequoia.road.stages import ROAD, choose_stages

JOBS = Path(__file__).parents[1] / "jobs"
Captured = pytest.CaptureFixture[str]


def typed(*arguments: str) -> Result:
    """Run a command as the shell would, without its guard."""
    return CliRunner().invoke(cli, arguments)


def fails(error: Exception) -> Callable[[], object]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({}, "ingest index sequences negatives train evaluate promote recommend report"),
        ({"first": "train"}, "train evaluate promote recommend report"),
        ({"last": "index"}, "ingest index"),
        ({"first": "negatives", "last": "evaluate"}, "negatives train evaluate"),
        ({"first": "train", "last": "train"}, "train"),
        ({"only": ["report", "ingest", "ingest"]}, "ingest report"),
    ],
)
def test_stages_are_chosen_in_the_order_of_the_road(choice: dict[str, Any], chosen: str) -> None:
    assert choose_stages(**choice) == chosen.split()


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"first": "trian"}, "unknown stage trian: did you mean train?"),
        ({"only": [""]}, "unknown stage : stages are ingest, index"),
        ({"only": ["zzz"]}, "unknown stage zzz: stages are ingest, index"),
        (
            {"first": "train", "last": "index"},
            "--from train comes after --to index: the road is ingest, index",
        ),
        ({"first": "train", "only": ["index"]}, "--only names all stages to run, --from and --to their ends"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(choice: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        choose_stages(**choice)
    assert str(refused.value).startswith(sentence)


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The stages that a command walked, which stand still here: the road itself is tested elsewhere."""
    names: list[str] = []

    def run_named(name: str, context: Context) -> StageResult:
        with pytest.raises(LockHeldError), WorkspaceLock(tmp_path, run_id="another", command="x"):
            pass
        names.append(name)
        return StageResult(rows_in=0, rows_out=0, details={"action": "refused"} if name == "promote" else {})

    monkeypatch.setattr(walk, "run_named", run_named)
    return names


@pytest.mark.parametrize("command", ["run", "demo"])
def test_commands_walk_what_was_chosen_and_hold_the_lock(
    command: str, walked: list[str], tmp_path: Path
) -> None:
    settings = ["ingest.raw=/reviews", f"workspace={tmp_path}"]
    assert typed(command, "--from", "train", "--to", "recommend", *settings).exit_code == 0
    assert typed(command, "--only", "index, ingest", *settings).exit_code == 0
    assert walked == ["train", "evaluate", "promote", "recommend", "ingest", "index"]


def test_only_promote_by_itself_says_by_its_code_that_the_gate_refused(
    walked: list[str], tmp_path: Path
) -> None:
    assert typed("promote", f"workspace={tmp_path}").exit_code == 3
    assert typed("promote", "promote.refused_exit_code=0", f"workspace={tmp_path}").exit_code == 0
    assert typed("run", "--only", "promote", f"workspace={tmp_path}").exit_code == 0


@pytest.mark.parametrize("command", ["ingest", "run", "demo", "rollback"])
def test_every_command_that_writes_ends_with_4_while_another_run_holds_the_lock(
    command: str, tmp_path: Path
) -> None:
    with WorkspaceLock(tmp_path, run_id="theirs", command="sequoia train"):
        done = typed(command, "ingest.raw=/reviews", f"workspace={tmp_path}")
    assert isinstance(done.exception, LockHeldError)
    assert list(tmp_path.iterdir()) == [tmp_path / ".lock"]


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (
            UserError("no file at http://me:pa55@host: name one"),
            2,
            "sequoia: no file at http://me:***@host: name one\n",
        ),
        (LockHeldError("held by run 7: wait"), 4, "sequoia: held by run 7: wait\n"),
        (RuntimeError("a trace\nsequoia.errors.UserError: mend it\n  at x"), 2, "sequoia: mend it\n"),
        (
            ModuleNotFoundError("no", name="pyspark.sql"),
            2,
            "sequoia: the package pyspark is not installed here",
        ),
        (ZeroDivisionError("token=pa55"), 1, "Traceback"),
        (ModuleNotFoundError("no", name="sequoia.gone"), 1, "Traceback"),
    ],
)
def test_exit_codes(error: Exception, code: int, shown: str, capsys: Captured) -> None:
    from sequoia import log

    log.start()
    assert guarded(fails(error)) == code
    said = capsys.readouterr().err
    assert said.startswith(shown)
    assert "pa55" not in said


def test_a_bug_is_one_line_where_lines_are_json(capsys: Captured) -> None:
    from sequoia import log

    log.start("json")
    try:
        assert guarded(fails(ZeroDivisionError("token=pa55"))) == 1
    finally:
        log.start()
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("ZeroDivisionError: token=***")


def test_exit_codes_are_told_by_the_help_of_every_command() -> None:
    for command in ([], *([name] for name in cli.commands)):
        shown = " ".join(typed(*command, "--help").output.split())
        for code in (
            "0 done",
            "1 everything else",
            "2 the user's mistake",
            "3 the gate refused",
            "4 another run",
        ):
            assert code in shown


def test_version() -> None:
    assert typed("--version").output == f"sequoia {provenance.code_version()}\n"


def test_config_shows_every_value_with_its_origin(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("extends: demo.yaml\ntraining: {epochs: 4}\nspark: {conf: {fs.s3a.secret.key: pa55}}\n")
    arguments = ["--config", str(mine), "tracking.uri=http://me:pa55@host", "training.models=[sasrec]"]
    text = typed("config", *arguments).output
    assert "pa55" not in text
    lines = dict(line.rsplit("  # ", 1) for line in text.splitlines())
    found = {key.strip(): origin for key, origin in lines.items()}
    assert found["training.epochs=4"] == str(mine)
    assert found["training.learning_rate=0.006"] == "demo.yaml"
    assert found["training.patience=5"] == "base.yaml"
    assert found["training.models=[sasrec]"] == "command line"
    assert found["tracking.uri=http://me:***@host"] == "command line"
    assert found["spark.conf.fs.s3a.secret.key=***"] == str(mine)
    overrides = [setting for setting in found if "***" not in setting]
    assert load_config(overrides=overrides).training == load_config(mine, arguments[3:]).training


def test_config_shows_what_was_asked_for_and_speaks_json() -> None:
    assert typed("config", "negatives", "seed").output.splitlines() == [
        "seed=42                   # base.yaml",
        "negatives.candidates=100  # base.yaml",
        "negatives.alpha=0.75      # base.yaml",
        "negatives.stored=100000   # base.yaml",
    ]
    told = json.loads(typed("config", "--json", "seed", "seed=7").output)
    assert told["settings"] == {"seed": {"value": 7, "from": "command line"}}
    assert told["settings_hash"] == provenance.settings_hash(load_config(overrides=["seed=7"]))
    for key, sentence in {"sed": "did you mean seed?", "seed.of": "shorten the key"}.items():
        assert sentence in str(typed("config", key).exception)


def test_as_processes(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("sequoia"))
    with WorkspaceLock(tmp_path, run_id="theirs", command="sequoia train"):
        held = subprocess.run([program, "rollback", f"workspace={tmp_path}"], capture_output=True, text=True)
    assert held.returncode == 4
    assert held.stderr.startswith(
        f"sequoia: workspace {tmp_path} is held by run theirs (sequoia train; process "
    )
    mistaken = subprocess.run(
        [program, "train", "seed=x", "tracking.uri=http://me:pa55@host"], capture_output=True, text=True
    )
    assert (mistaken.returncode, mistaken.stdout) == (2, "")
    assert mistaken.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("start", "arguments"),
    [
        ("from sequoia.cli import main; main()", ["ingest"]),
        (f"runpy.run_path({str(JOBS / 'ingest.py')!r}, run_name='__main__')", []),
    ],
    ids=["command", "job"],
)
def test_a_polite_kill_gives_the_lock_back(start: str, arguments: list[str], tmp_path: Path) -> None:
    program = f"""
import runpy, time
from sequoia.road import walk
walk.run_named = lambda name, context: (print("in", name, flush=True), time.sleep(60))
{start}
"""
    settings = ["ingest.raw=/reviews", f"workspace={tmp_path}"]
    command = [sys.executable, "-c", program, *arguments, *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in ingest\n"
        assert len(list((tmp_path / ".lock").iterdir())) == 1
        process.terminate()
        assert process.wait(timeout=50) == 1
    assert list((tmp_path / ".lock").iterdir()) == []


def test_the_road_has_a_command_for_every_stage() -> None:
    assert {*ROAD, "generate", "run", "demo", "config", "rollback", "doctor"} <= set(cli.commands)
