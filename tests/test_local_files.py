"""Copies of remote files and places to write, on fsspec's file system in memory."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from upath import UPath

from sequoia import local_files
from sequoia.errors import UserError
from sequoia.local_files import local_copy, publish, replace_text, replacing, workbench
from sequoia.storage import entries, remove


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UPath]:
    """An empty remote folder, and copies in a folder of the test."""
    monkeypatch.setenv("SEQUOIA_COPIES", str(tmp_path / "copies"))
    folder = UPath(f"memory://{uuid.uuid4().hex}")
    yield folder
    remove(folder)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def contents(folder: UPath) -> dict[str, str]:
    return {entry.relative: entry.location.read_text() for entry in entries(folder)}


def test_a_local_location_is_its_own_copy_and_bench(tmp_path: Path) -> None:
    assert local_copy(tmp_path) == workbench(tmp_path) == tmp_path


def test_a_folder_is_published_whole_with_its_mark_last(
    remote: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    put = type(remote.fs).put_file

    def noted(self: object, source: str, target: str, **options: object) -> None:
        order.append(target.rpartition("/")[2])
        put(self, source, target, **options)

    monkeypatch.setattr(type(remote.fs), "put_file", noted)
    model = remote / "models" / "m"
    publish(write(tmp_path / "m", complete="1", weights="2", z__old="3"), model, last="complete")
    assert order == ["weights", "old", "complete"]
    remove(tmp_path / "m" / "z")
    publish(write(tmp_path / "m", weights="new"), model, last="complete")
    assert contents(model) == {"complete": "1", "weights": "new"}


def test_a_copy_is_made_once_per_state(remote: UPath, tmp_path: Path) -> None:
    publish(write(tmp_path / "m", weights="1", a__b="2"), remote / "m")
    copy = local_copy(remote / "m")
    assert ((copy / "weights").read_text(), (copy / "a" / "b").read_text(), copy.name) == ("1", "2", "m")
    (copy / "weights").write_text("touched")
    assert (local_copy(remote / "m") / "weights").read_text() == "touched"
    replace_text(remote / "m" / "weights", "other")
    again = local_copy(remote / "m")
    assert (again / "weights").read_text() == "other"
    assert (copy / "weights").exists(), "a copy that is still open must stay"
    assert local_copy(remote / "m" / "weights").read_text() == "other"
    with pytest.raises(UserError, match="does not exist: run the stage that writes it again"):
        local_copy(remote / "none")


def test_a_copy_of_a_former_state_is_forgotten(remote: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_text(remote / "latest.json", "1")
    old = local_copy(remote / "latest.json")
    monkeypatch.setattr(local_files, "FORGOTTEN_AFTER", -1)
    replace_text(remote / "latest.json", "2")
    assert local_copy(remote / "latest.json").read_text() == "2"
    assert not old.exists()


def test_what_a_killed_run_left_beside_a_target_goes_after_a_day(tmp_path: Path) -> None:
    for name, age in ((".a.json.1.partial", 2), (".a.json.2.partial", 0), (".b.json.1.partial", 2)):
        write(tmp_path / name, part="1")
        written = time.time() - age * local_files.FORGOTTEN_AFTER
        os.utime(tmp_path / name, (written, written))
    replace_text(tmp_path / "a.json", "{}")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", ".a.json.2.partial", ".b.json.1.partial"}


def test_a_file_or_folder_takes_its_place_in_one_step_or_not_at_all(tmp_path: Path, remote: UPath) -> None:
    for home in (tmp_path / "home", remote):
        with replacing(home / "folder", last="mark") as fresh:
            write(fresh, mark="1", data="1")
        with replacing(home / "folder", last="mark") as fresh, replacing(home / "folder") as other:
            assert fresh != other
            write(other, mark="2")
            write(fresh, mark="3")
        assert contents(home / "folder") == {"mark": "3"}
        with pytest.raises(FileExistsError), replacing(home / "folder") as fresh:
            write(fresh, mark="4").mkdir()
        assert contents(home) == {"folder/mark": "3"}
        replace_text(home / "folder" / "mark", "5")
        assert contents(home) == {"folder/mark": "5"}
