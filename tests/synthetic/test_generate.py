"""The corpus is written once per settings, asked for by name, and never taken for anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sequoia.cli import cli
from sequoia.config import Config, load_config
from sequoia.errors import UserError
from sequoia.ingest.files.inputs import find_inputs
from sequoia.road.stage import Context
from sequoia.synthetic.generate import corpus_folder, generate

SMALL = ["ingest.raw=generated", "synthetic.users=100", "synthetic.themes=2"]


def configured(tmp_path: Path, *overrides: str) -> Config:
    return load_config(overrides=[f"workspace={tmp_path / 'workspace'}", *SMALL, *overrides])


def test_the_corpus_is_written_once_per_settings(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with pytest.raises(UserError, match="run `sequoia generate` with the same configuration first"):
        find_inputs(Context(config))
    assert " files, " in generate(Context(config))
    written = {path: path.stat().st_mtime_ns for path in corpus_folder(config).iterdir()}
    assert "already" in generate(Context(config))
    assert {path: path.stat().st_mtime_ns for path in corpus_folder(config).iterdir()} == written
    found = {entry.file.source for entry in find_inputs(Context(config))}
    assert found == {path.name for path in written if path.name[0] != "."}


def test_a_corpus_of_other_settings_is_not_read(tmp_path: Path) -> None:
    generate(Context(configured(tmp_path)))
    other = configured(tmp_path, "synthetic.seed=8")
    with pytest.raises(UserError, match="no corpus of these settings"):
        find_inputs(Context(other))
    generate(Context(other))
    assert find_inputs(Context(other))
    with pytest.raises(UserError, match="no corpus of these settings"):
        corpus_folder(configured(tmp_path))


@pytest.mark.parametrize("words", [["run", "--dry-run"], ["ingest"]])
def test_without_an_input_nothing_is_made_up(words: list[str], tmp_path: Path) -> None:
    """A road on real data, typed once without its input, would have been replaced by invented users."""
    done = CliRunner().invoke(cli, [*words, f"workspace={tmp_path / 'workspace'}"])
    assert isinstance(done.exception, UserError)
    assert "ingest.raw is not set: name a file, a folder or a table" in str(done.exception)
    assert not (tmp_path / "workspace" / "raw").exists()
