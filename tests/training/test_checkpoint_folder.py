"""Checkpoints of a remote workspace: each is sent once, the pointer last, and fetched by whoever goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from upath import UPath

from sequoia.training.checkpoint import Progress, load_progress, save_checkpoint
from sequoia.training.checkpoint_folder import open_checkpoints, publish_checkpoints

IDENTITY = {"kind": "sasrec"}


def save(folder: Path, epoch: int) -> None:
    tensors = {part: {"x": torch.full((3,), float(epoch))} for part in ("weights", "optimizer", "items")}
    save_checkpoint(folder, tensors, Progress(epoch=epoch), IDENTITY, is_best=True)


def name(epoch: int) -> str:
    return f"epoch-{epoch:05d}-step-00000000"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> UPath:
    monkeypatch.setenv("SEQUOIA_COPIES", str(tmp_path / "copies"))
    found = UPath(f"memory://{tmp_path.name}/checkpoints")
    found.mkdir(parents=True)
    return found


def test_a_checkpoint_is_sent_once_and_two_stay(store: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, adopted = open_checkpoints(store, None)
    assert (adopted, list(folder.iterdir())) == (False, [])
    sent: list[str] = []
    put = store.fs.put_file

    def noted(source: str, target: str, **more: Any) -> None:
        sent.append("/".join(target.split("/")[-2:]))
        put(source, target, **more)

    monkeypatch.setattr(store.fs, "put_file", noted)
    for epoch in (1, 2, 3):
        save(folder, epoch)
        sent.clear()
        publish_checkpoints(folder, store)
        assert {place.split("/")[0] for place in sent[:-1]} == {name(epoch)}
        assert sent[-1] == "checkpoints/latest"
    assert sorted(place.name for place in store.iterdir()) == [name(2), name(3), "latest"]


def test_who_goes_on_elsewhere_fetches_the_newest(
    store: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = open_checkpoints(store, None)
    for epoch in (1, 2):
        save(folder, epoch)
        publish_checkpoints(folder, store)
    monkeypatch.setenv("SEQUOIA_COPIES", str(tmp_path / "another machine"))
    fetched, adopted = open_checkpoints(store, "no/such/folder")
    assert not adopted
    progress = load_progress(fetched, IDENTITY)
    assert progress is not None
    assert progress.epoch == 2
    save(fetched, 3)
    publish_checkpoints(fetched, store)
    assert (store / "latest").read_text() == name(3)
