"""The experiment on a Databricks workspace, played by a small server with the workspace's own answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from sequoia.config import load_config
from sequoia.tracking.connection import connect


class Workspace(ThreadingHTTPServer):
    """Folders and experiments; an experiment is refused where its folder is missing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.folders = {"/Users", "/Shared"}
        self.experiments: dict[str, str] = {}


class Requests(BaseHTTPRequestHandler):
    server: Workspace

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path != "/api/2.0/mlflow/experiments/get-by-name":
            return self.answer(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": asked.path})
        [name] = parse_qs(asked.query)["experiment_name"]
        if name not in self.server.experiments:
            return self.missing(f"Could not find experiment with name {name}")
        found = {"experiment_id": self.server.experiments[name], "name": name, "lifecycle_stage": "active"}
        return self.answer(200, {"experiment": found})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/2.0/workspace/mkdirs":
            self.server.folders.add(given["path"])
            return self.answer(200, {})
        assert self.path == "/api/2.0/mlflow/experiments/create"
        folder = given["name"].rpartition("/")[0]
        if folder not in self.server.folders:
            return self.missing(f"Parent directory {folder} does not exist.")
        self.server.experiments[given["name"]] = "71"
        return self.answer(200, {"experiment_id": "71"})

    def missing(self, message: str) -> None:
        self.answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": message})

    def answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    with Workspace() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-nobody")
        yield server
        server.shutdown()


@pytest.mark.mlflow
def test_the_experiment_s_folder_is_created_with_it(workspace: Workspace) -> None:
    given = ["workspace=/Volumes/shop/sequoia/workspace", "tables.namespace=shop.sequoia"]
    given += ["tracking.registered_model=shop.sequoia.next_item"]
    given += ["tracking.experiment=/Workspace/Shared/shop/nightly"]
    config = load_config("databricks.yaml", given)
    assert connect(config).experiment_id == "71"
    assert workspace.folders == {"/Users", "/Shared", "/Shared/shop"}
    # Known to the workspace without the prefix; a second run finds it and creates nothing.
    assert workspace.experiments == {"/Shared/shop/nightly": "71"}
    workspace.folders.clear()
    assert connect(config).experiment_id == "71"
    assert workspace.folders == set()
