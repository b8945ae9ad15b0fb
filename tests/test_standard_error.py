"""With logging.format=json every line on standard error is a JSON object, whoever writes it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from sequoia import log
from sequoia.standard_error import of_process, taken_over

Captured = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-c", "from sequoia.cli import main; main()"]


@pytest.fixture(autouse=True)
def text_afterwards() -> Iterator[None]:
    yield
    log.start()


def objects(written: str) -> list[tuple[str, str, str | None]]:
    """Return level, message and writer of every line; fails for a line that is no object."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]
    return [(line["level"], line["message"], line.get("logger")) for line in lines]


def test_what_packages_print_becomes_objects_and_no_line_is_lost(capsys: Captured) -> None:
    beneath = sys.stderr
    log.start("json", "error", run_id="r1")
    with taken_over():
        print("Created version '1' of model 'x'.", file=sys.stderr)
        sys.stderr.write("half a ")
        sys.stderr.write("line\n\nto http://me:pa55@host")
        log.LOGGER.error("its own")
        assert not sys.stderr.isatty()
    assert sys.stderr is beneath
    assert objects(capsys.readouterr().err) == [
        ("info", "Created version '1' of model 'x'.", "stderr"),
        ("info", "half a line", "stderr"),
        ("error", "its own", None),
        ("info", "to http://me:***@host", "stderr"),
    ]


def test_a_thread_that_dies_says_so_in_objects(capsys: Captured) -> None:
    log.start("json")
    with taken_over():
        click.echo("echoed", err=True)
        thread = threading.Thread(target=lambda: 1 / 0)
        # pytest has a hook of its own; this is Python's.
        hook, threading.excepthook = threading.excepthook, threading.__excepthook__
        try:
            thread.start()
            thread.join()
        finally:
            threading.excepthook = hook
    found = objects(capsys.readouterr().err)
    assert found[0] == ("info", "echoed", "stderr")
    assert found[-1][1] == "ZeroDivisionError: division by zero"


def test_as_text_lines_pass_as_they_are(capsys: Captured) -> None:
    log.start()
    with taken_over():
        print("plain, ", end="", file=sys.stderr)
        print("as it is", file=sys.stderr)
        log.LOGGER.info("its own")
    assert capsys.readouterr().err == "plain, as it is\n    its own\n"


def test_lines_of_a_process_become_objects_with_the_level_that_spark_gives_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log.start("json", "error")
    said = ["26/11/21 20:43:31 WARN Utils: a name", "26/11/21 20:43:31 FATAL X: gone", "WARNING: a module"]
    with of_process("jvm") as descriptor:
        script = f"import sys; sys.stderr.write({chr(10).join(said)!r})"
        subprocess.run([sys.executable, "-c", script], stderr=descriptor, check=True)
    for _ in range(100):
        if sys.stderr.getvalue().count("\n") == 3:
            break
        time.sleep(0.05)
    assert objects(sys.stderr.getvalue()) == [
        ("warning", said[0], "jvm"),
        ("critical", said[1], "jvm"),
        ("info", said[2], "jvm"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training.epoch=3"], "unknown setting training.epoch: did you mean training.epochs?"),
        (["--confg", "base.yaml"], "Error: No such option"),
    ],
)
def test_a_mistake_before_the_run_is_an_object_when_the_command_asks_for_them(
    arguments: list[str], message: str
) -> None:
    command = [*COMMAND, "ingest", *arguments, "logging.format=json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert objects(done.stderr)[-1][1].startswith(message)


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.slow
def test_every_line_of_a_whole_process_is_an_object(tmp_path: Path) -> None:
    """Java's options are the user's own here; Spark's JVM still speaks before a session can set its level."""
    raw = tmp_path / "Toys.csv"
    raw.write_text("B1,u1,5.0,1400000000\nB2,u1,4.0,1400000100\n")
    done = subprocess.run(
        [
            *(*COMMAND, "ingest", f"workspace={tmp_path / 'workspace'}", f"ingest.raw={raw}"),
            *("logging.format=json", "run_id=night-7", "spark.master=local[1]", "spark.driver_memory=1g"),
            "spark.conf.spark.driver.extraJavaOptions=-Xlog:gc:stderr",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = objects(done.stderr)
    assert ("info", "ingest", None) in found
    jvm = "\n".join(message for _, message, writer in found if writer == "jvm")
    assert "Picked up JAVA_TOOL_OPTIONS" in jvm
    assert "GC(0)" in jvm
    assert {json.loads(line)["run_id"] for line in done.stderr.splitlines()} == {"night-7"}
