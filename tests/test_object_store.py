"""Locations, copies, raw files and the lock of a workspace on an object store: moto speaks S3 in a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from upath import UPath

from sequoia.config import load_config
from sequoia.errors import LockHeldError, UserError
from sequoia.ingest.bronze_rows import rows_of
from sequoia.ingest.files.chunks import Chunk
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.fingerprint import fingerprints
from sequoia.ingest.files.recognise import recognise
from sequoia.local_files import local_copy, publish, replace_text, replacing
from sequoia.modelling.trained import DONE, TrainedModel, forget, read_trained, write_trained
from sequoia.road.lock import WorkspaceLock
from sequoia.storage import entries, locate, remove, uri

RATINGS = "B1,A1,5.0,1400000000\nB2,A1,4.0,1400000100\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def shop(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UPath]:
    """An empty folder, with a space in its name, of a bucket."""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for key, value in {
        **keys,
        "AWS_ENDPOINT_URL": endpoint,
        "SEQUOIA_COPIES": str(tmp_path / "copies"),
    }.items():
        monkeypatch.setenv(key, value)
    folder = locate("s3a://shop/my shop")
    assert isinstance(folder, UPath)
    folder.fs.mkdirs("shop", exist_ok=True)
    yield folder
    remove(folder)


def test_what_is_written_is_there_at_once_and_what_is_removed_is_gone(shop: UPath) -> None:
    assert (shop.exists(), entries(shop)) == (False, [])
    replace_text(shop / "a" / "b.json", "1")
    replace_text(shop / "a" / "b.json", "2")
    assert ((shop / "a").is_dir(), (shop / "a" / "b.json").read_text()) == (True, "2")
    with replacing(shop / "model", last="mark") as fresh:
        fresh.mkdir()
        (fresh / "mark").write_text("m")
        (fresh / "weights").write_text("w")
    assert [entry.relative for entry in entries(shop)] == ["a/b.json", "model/mark", "model/weights"]
    assert sorted(path.name for path in local_copy(shop / "model").iterdir()) == ["mark", "weights"]
    remove(shop / "model" / "mark")
    remove(shop / "a")
    remove(shop / "none")
    assert [entry.relative for entry in entries(shop)] == ["model/weights"]


def test_models_are_found_and_forgotten(shop: UPath) -> None:
    for name in ("model.json", DONE):
        replace_text(shop / "models" / "m" / name, "{}")
    replace_text(shop / "checkpoints" / "m" / "latest", "epoch-00001")
    model = TrainedModel(folder=shop / "models" / "m", mlflow_run_id="1", fingerprint="f")
    write_trained(shop, "run", {"m": model})
    assert {name: uri(found.folder) for name, found in read_trained(shop).items()} == {
        "m": "s3://shop/my shop/models/m"
    }
    forget(shop, model.folder)
    assert [entry.relative for entry in entries(shop)] == ["models/latest.json", "models/m/model.json"]


def test_raw_files_are_found_recognised_and_read(shop: UPath, tmp_path: Path) -> None:
    for name in ("more/Toys.csv", "Games.csv", "notes.md", "_tmp/x.csv"):
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_text(RATINGS)
    publish(tmp_path / "raw", shop / "raw")
    settings = load_config().ingest
    raw = "s3a://shop/my shop/raw"
    games, toys = find_files(raw, None)
    assert [(file.source, file.bytes) for file in (games, toys)] == [("Games.csv", 42), ("more/Toys.csv", 42)]
    assert [file.source for file in find_files(f"{raw}/more/Toys.csv", None)] == ["Toys.csv"]
    assert recognise(games, settings) == "ratings"
    assert sum(len(rows) for rows in rows_of(Chunk(file=toys, form="ratings", fingerprint=""), settings)) == 2
    before = fingerprints([games, toys], settings)
    replace_text(shop / "raw" / "Games.csv", RATINGS + "B3,A1,4.0,1400000100\n")
    after = fingerprints(find_files(raw, None), settings)
    assert [before[name] == after[name] for name in ("Games.csv", "more/Toys.csv")] == [False, True]
    with pytest.raises(UserError, match="s3a://shop/my shop/none does not exist: name a folder"):
        find_files("s3a://shop/my shop/none", None)


def test_a_workspace_has_one_run_at_a_time(shop: UPath) -> None:
    with WorkspaceLock(shop, run_id="one", command="run") as lock:
        lock.check()
        with (
            pytest.raises(LockHeldError, match="is held by run one"),
            WorkspaceLock(shop, run_id="two", command="run"),
        ):
            pass
    assert entries(shop) == []
