"""What the documents tell a reader to type exists: files, commands with their options, settings, versions."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sequoia.cli import cli
from sequoia.config import Config
from sequoia.config.types import setting_at
from sequoia.spark import DELTA_PACKAGE

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "conf" / "README.md"]
SCRIPTS = sorted(file for file in (ROOT / "jobs").glob("*.py") if file.stem != "__init__")
FILES = pytest.mark.parametrize("file", [*DOCUMENTS, *SCRIPTS], ids=lambda file: file.name)
FOLDERS = ("conf", "docs", "jobs", "lib", "notebooks", "schemas", "tests")
# Spark has settings below the same name.
SECTIONS = {name for name, about in Config.model_fields.items() if hasattr(about.annotation, "model_fields")}
SECTIONS -= {"spark"}


def code(file: Path) -> list[str]:
    """Return the lines of code of a document, continued lines as one, then what stands between quotes."""
    text = file.read_text(encoding="utf-8")
    fenced = r'^r"""(.*?)"""' if file.suffix == ".py" else r"^```\w*\n(.*?)^```"
    blocks = re.findall(fenced, text, flags=re.S | re.M)
    lines = [line.strip() for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    prose = re.sub(fenced, "", text, flags=re.S | re.M)
    return [*lines, *(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))]


def words(line: str) -> list[str]:
    """Return a command's words: no comment, nothing in [brackets], what the reader fills in as one word."""
    plain = re.sub(r"<[^>]*>", "filled-in", re.sub(r"(?:^|\s)\[[^\]]*\]", "", line))
    return shlex.split(re.sub(r"\s{4,}\(.*\)$", "", plain), comments=True)


def commands(file: Path) -> list[list[str]]:
    """Return what is said to sequoia in a document: a command's name and its arguments."""
    found = []
    for line in code(file):
        if re.match(r"(\w+=\S+ )*spark-submit ", line):
            start = re.search(r"jobs/(\w+)\.py", line)
            assert start is not None, line
            found.append([start[1], *words(line[start.end() :])])
        elif re.match(r"sequoia [a-z]", line):
            found.append(words(line)[1:])
    return found


@FILES
def test_files_that_are_named_exist(file: Path) -> None:
    named = {found for line in code(file) for found in re.findall(r"[\w.*-]+(?:/[\w.*<>-]+)+/?", line)}
    ours = [name for name in named if name.split("/")[0] in FOLDERS and "<" not in name]
    assert [name for name in ours if not list(ROOT.glob(name.rstrip("/")))] == []
    for line in code(file):
        if line.startswith("COPY "):  # into an image, from this folder
            assert [name for name in line.split()[1:-1] if not (ROOT / name).is_file()] == []


@FILES
def test_commands_take_what_they_are_given(file: Path) -> None:
    for name, *arguments in commands(file):
        command = cli.commands[name]
        try:
            parsed = command.make_context(name, list(arguments)).params
        except click.ClickException as error:
            raise AssertionError(f"sequoia {name} {arguments}: {error.format_message()}") from error
        for override in parsed.get("overrides", ()):
            setting_at(Config, override.partition("=")[0].split("."))


def test_the_documents_have_commands() -> None:
    said = [name for file in DOCUMENTS for name, *_ in commands(file)]
    assert {"run", "ingest", "config", "promote", "rollback", "release", "clean", "doctor"} <= set(said)
    for script in SCRIPTS:
        # By spark-submit, and as a command.
        assert [name for name, *_ in commands(script)] == [script.stem] * 2


@FILES
def test_settings_and_targets_of_make_that_are_named_exist(file: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    for line in code(file):
        key = line.partition("=")[0]
        is_setting = re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", key) and key.split(".")[0] in SECTIONS
        if is_setting and not key.endswith((".txt", ".html", ".json")):
            setting_at(Config, key.split("."))
        for target in re.findall(r"\bmake ([a-z-]+)", line):
            assert target in targets, line


def test_delta_is_named_in_the_version_that_is_pinned() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="ascii")
    [pinned] = re.findall(r"^delta-spark==(\S+)$", pins, flags=re.M)
    assert f"io.delta:delta-spark_2.12:{pinned}" == DELTA_PACKAGE
    for file in [*DOCUMENTS, *SCRIPTS]:
        for line in code(file):
            assert set(re.findall(r"io\.delta:[\w:.-]+", line)) <= {DELTA_PACKAGE}, line
            # The zip has the version in its name.
            assert not re.search(r"sequoia-\d", line), line
            if "spark-submit " in line and "jobs/" in line:
                assert DELTA_PACKAGE in line, line
