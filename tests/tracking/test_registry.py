"""A registry that cannot be asked is never "no champion", and its tags lead nowhere outside the cache."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.registered_folder import fetch_folder
from sequoia.tracking.registry import Version


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Connection:
    return connect(load_config(overrides=[f"workspace={tmp_path_factory.mktemp('registry')}"]))


def at(uri: str, name: str = "sequoia-next-item") -> Connection:
    return connect(load_config(overrides=[f"tracking.uri={uri}", f"tracking.registered_model={name}"]))


def test_what_is_not_there_is_none(connection: Connection) -> None:
    assert registry.find_alias(connection, "champion") is None  # no such model
    assert registry.model_tags(connection) == {}
    registry.set_model_tag(connection, "there", "now")
    assert registry.find_alias(connection, "champion") is None  # no such alias
    assert registry.find_version(connection, "7") is None
    assert registry.find_fingerprint(connection, "f") is None


def test_what_the_registry_will_not_do_is_one_sentence(connection: Connection) -> None:
    with pytest.raises(UserError, match=r"^the registry at sqlite:.*must be an integer, got 'abc'.*again$"):
        registry.find_version(connection, "abc")
    gone = Version(name=connection.registered_model, number="7", tags={})
    with pytest.raises(UserError, match="version=7"):
        registry.move_alias(connection, "champion", gone)


def test_a_broken_database_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"not a database " * 1000)
    broken = at(f"sqlite:///{tmp_path / 'broken.db'}")
    for ask in (registry.find_alias, registry.find_version, registry.find_fingerprint):
        with pytest.raises(UserError, match=r"did not answer as it should .*not a database.*tracking\.uri"):
            ask(broken, "1")


def test_a_driver_that_is_not_installed_hides_the_password(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="registry_uri") as told:
        registry.find_alias(at("postgresql://ada:open-sesame@127.0.0.1:1/mlflow"), "champion")
    assert "open-sesame" not in str(told.value)


@pytest.mark.slow
def test_a_server_that_stops_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", store, "--default-artifact-root", str(tmp_path), "--workers", "1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        served = at(f"http://ada:open-sesame@127.0.0.1:{port}")
        assert registry.find_alias(served, "champion") is None
        registry.set_model_tag(served, "there", "now")
        assert registry.find_alias(served, "champion") is None
        assert registry.find_version(served, "7") is None
    finally:
        server.terminate()
        server.wait()
    with pytest.raises(
        UserError, match=rf"registry at http://ada:\*\*\*@127\.0\.0\.1:{port} did not"
    ) as told:
        registry.find_alias(served, "champion")
    assert "open-sesame" not in str(told.value)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(address, timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start")


@pytest.mark.parametrize("fingerprint", ["../../etc", "a/b", "..", ".", "a b", "x" * 101, "-\n"])
def test_a_tag_that_is_no_folder_name_is_refused(
    connection: Connection, tmp_path: Path, fingerprint: str
) -> None:
    version = Version(name="shop", number="3", tags={"fingerprint": fingerprint})
    with pytest.raises(UserError, match=r"version '3' of shop has fingerprint .* no folder name"):
        fetch_folder(connection, version, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_version_that_was_never_completely_stored_is_not_found_by_its_fingerprint(
    connection: Connection,
) -> None:
    registry.set_model_tag(connection, "there", "now")
    for _ in range(3):
        connection.client.create_model_version(
            connection.registered_model, "file:///nowhere", tags={"fingerprint": "f"}
        )
    newest = registry.find_fingerprint(connection, "f")
    assert newest is not None
    assert newest.number == "3"
    # As Unity Catalog leaves it when the upload is cut off.
    with sqlite3.connect(connection.registry_uri.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE model_versions SET status = 'PENDING_REGISTRATION' WHERE version = 3")
    complete = registry.find_fingerprint(connection, "f")
    assert complete is not None
    assert complete.number == "2"
