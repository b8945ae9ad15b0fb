"""The commands of docs/serving.md and the README, run as they stand, in an environment without sequoia."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from evaluate.world import RAW, save_counting
from tracking.fresh_environment import fresh_environment

from sequoia.config import load_config
from sequoia.models.sasrec import SasRec
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import start_run

pytestmark = [pytest.mark.mlflow, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/serving.md")
PORT = "5001"
# The two that the pages name; the ring leads from the second to the third.
ITEMS = ["B00A0A0A0A", "0123456789", *RAW]
MISTAKES = [
    ({"items": ["i10"]}, {"k": 0}, "k is 0: ask for at least 1 item"),
    ({"history": ["i10"]}, {}, "column items is missing"),
    ({"items": [10]}, {}, "Can not safely convert int64"),
    ({"items": "i10"}, {}, "Expected data to be list or numpy array, got str"),
    ({"items": ["i10"]}, {"k": "five"}, "for value `five`"),
]


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page that name the champion or ask the server."""
    path = ROOT / page
    found = re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [block for block in found if "@champion" in block or "/invocations" in block]


def register_champion(workspace: Path, kind: str) -> None:
    folder = save_counting(workspace / "models" / "counting", step=1, raw=ITEMS)
    if kind == "sasrec":
        (folder / "weights.safetensors").unlink()
        SasRec.make(load_config().models.sasrec.model_dump(), len(ITEMS) + 2).save(folder, extra={})
    connection = connect(load_config(overrides=[f"workspace={workspace}"]))
    uri = log_model(connection, start_run(connection, kind).id, kind, folder, ITEMS[:2])
    registry.move_alias(
        connection, "champion", registry.register(connection, uri, {registry.FINGERPRINT: kind})
    )


def environment() -> dict[str, str]:
    """Return the caller's environment: `mlflow` is the project's, and Python is led to nothing else of it."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def shell(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(command: str, folder: Path) -> Iterator[None]:
    """Run the server until the block ends; its output goes to server.log."""
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            ["bash", "-ec", command],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        port = re.findall(r"--port (\d+)", command)[0]
        wait_for(port, server, folder / "server.log")
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def wait_for(port: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(log.read_text(encoding="utf-8"))


def refused(port: str, row: dict[str, object], params: dict[str, object]) -> tuple[int, str]:
    body = json.dumps({"dataframe_records": [row], "params": params}).encode()
    asked = Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    with pytest.raises(HTTPError) as raised:
        urlopen(asked, timeout=60)
    return raised.value.code, json.loads(raised.value.read())["message"]


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def check(folder: Path, page: str, kind: str, *, pip: bool) -> None:
    """Run the page's commands: a counting model of the ring answers what can be foretold, SASRec anything."""
    [set_up, ask] = blocks(page, "sh")
    port = free_port()
    export, download, *install, serve = set_up.replace(PORT, port).splitlines()
    shell(f"{export}\n{download}", folder)
    if pip:
        shell("\n".join(install), folder)
    else:
        fresh_environment(folder / "serving" / "env", folder / "serving" / "requirements.txt")
    absent = "sequoia" if kind == "sasrec" else "sequoia torch pyspark"
    find = (
        "import sys; from importlib.util import find_spec; print([n for n in sys.argv[1:] if find_spec(n)])"
    )
    assert shell(f'serving/env/bin/python -c "{find}" {absent}', folder).strip() == "[]"
    with serving(f"{export}\n{serve}", folder):
        [answer] = json.loads(shell(ask.replace(PORT, port), folder))["predictions"]
        assert len(answer["items"]) == len(answer["scores"]) == 5
        assert set(answer["items"]) < set(RAW)
        if kind == "counting":
            assert answer["items"] == RAW[:5]
        for row, params, says in MISTAKES:
            status, message = refused(port, row, params)
            assert (status, says in message) == (400, True), message
    for block in blocks(page, "python"):
        ask_it = 'print(model.predict({"items": ["i07"]}, params={"k": 1})["items"][0][0])'
        (folder / "load.py").write_text(f"{block}{ask_it}\n", encoding="utf-8")
        found = shell("serving/env/bin/python load.py", folder).splitlines()[-1]
        assert found == "i08" if kind == "counting" else found in ITEMS


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with the workspace of a demo whose champion is of the test's kind."""
    register_champion(tmp_path / ".workspace" / "demo", request.node.callspec.params["kind"])
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")])
@pytest.mark.parametrize("kind", ["counting"])
def test_the_commands_serve_the_champion(folder: Path, page: str, kind: str) -> None:
    check(folder, page, kind, pip=False)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["counting", "sasrec"])
def test_the_commands_serve_the_champion_from_what_pip_installs(folder: Path, kind: str) -> None:
    check(folder, "docs/serving.md", kind, pip=True)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["counting"])
def test_mlflow_makes_the_environment_itself(folder: Path, kind: str) -> None:
    if shutil.which("pyenv") is None:
        pytest.skip("--env-manager virtualenv needs pyenv")
    export, *_, serve = blocks("docs/serving.md", "sh")[0].replace(PORT, port := free_port()).splitlines()
    root = f"export MLFLOW_ENV_ROOT={folder / 'environments'}"
    with serving(f"{export}\n{root}\n{serve.replace('local', 'virtualenv')}", folder):
        assert refused(port, {"items": [10]}, {})[0] == 400


def test_the_pages_load_the_champion_in_three_lines() -> None:
    [block] = blocks("docs/serving.md", "python")
    assert len([line for line in block.splitlines() if line]) == 3
