"""Time one request for one user against a registered model: p50 and p99, on one core.

    python tests/benchmarks/serve_latency.py [--items 12000] [--requests 1000] [--models counting sasrec]

Makes a model of each kind with random weights (they cost what trained ones cost), registers it, and asks for
the top 10 of one user per request, history of 1 to 50 events. `product` is the floor of the transformer: its
item vectors times one user's state. `recommend` is Recommender alone, `predict` the loaded pyfunc model with
MLflow's checks, `http` a request to `mlflow models serve` on a kept connection, `ping` one that asks nothing.
The model runs on the first core, the client of `http` on another one where there is one. In milliseconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
import torch

from sequoia.config import load_config
from sequoia.modelling.recommender import Recommender
from sequoia.models.counting import Counting, CountingParameters
from sequoia.models.sasrec import SasRec
from sequoia.recommend.lists import histories_of
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import start_run

K = 10
NEIGHBOURS = 200  # pairs per item of the counting model
WARM_UP = 50
PACKAGES = ("mlflow", "numpy", "pandas", "pyarrow", "scipy", "torch")
Times = dict[str, float]


def write_model(kind: str, items: int, folder: Path) -> Path:
    """Write a model folder with random weights."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    events = rng.integers(5, 1000, items)
    index = {
        "row": range(2, items + 2),
        "item_id": range(2, items + 2),
        "item": item_ids(items),
        "events": events,
    }
    pq.write_table(pa.table(index), folder / "items.parquet")
    if kind == "sasrec":
        SasRec.make(load_config().models.sasrec.model_dump(), items + 2).save(folder, extra={})
        return folder
    rows = np.repeat(np.arange(2, items + 2), NEIGHBOURS)
    columns = rng.integers(2, items + 2, len(rows))
    votes = sp.csr_array((rng.random(len(rows)), (rows, columns)), shape=(items + 2, items + 2))
    parameters = CountingParameters(window=3, backward=0.5, last=5, decay=0.7, popularity_power=0.0)
    Counting(votes, np.concatenate([[0, 0], events]), parameters).save(folder, extra={})
    return folder


def item_ids(items: int) -> list[str]:
    """Return ids of ten characters, as Amazon's are."""
    return [f"B{number:09d}" for number in range(items)]


def histories(items: int, requests: int) -> list[list[str]]:
    """Return one history of 1 to 50 events per request."""
    rng = np.random.default_rng(1)
    known = item_ids(items)
    return [[known[item] for item in rng.integers(0, items, rng.integers(1, 51))] for _ in range(requests)]


def percentiles(ask: Callable[[list[str]], object], asked: list[list[str]]) -> Times:
    """Return p50 and p99 of one call in milliseconds; the first calls warm up and do not count."""
    for history in asked[:WARM_UP]:
        ask(history)
    milliseconds = []
    for history in asked:
        started = time.perf_counter()
        ask(history)
        milliseconds.append(1000 * (time.perf_counter() - started))
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}


def register(connection: Connection, kind: str, folder: Path) -> str:
    """Register the folder and return the address of the version."""
    uri = log_model(connection, start_run(connection, kind).id, kind, folder, item_ids(1))
    made = registry.register(connection, uri, {registry.FINGERPRINT: kind})
    return f"models:/{made.name}/{made.number}"


def in_process(kind: str, folder: Path, uri: str, asked: list[list[str]]) -> dict[str, Times]:
    """Time the floor, the model class and the loaded pyfunc model in this process."""
    served, loaded = Recommender.read(folder), mlflow.pyfunc.load_model(uri)
    result = {}
    if kind == "sasrec":
        vectors, state = torch.randn(served.index.num_rows, 64), torch.randn(1, 64)
        result["product"] = percentiles(lambda _: state @ vectors.T, asked)
    result["recommend"] = percentiles(
        lambda history: served.recommend(histories_of(served.index, pa.array([history])), K), asked
    )
    result["predict"] = percentiles(
        lambda history: loaded.predict(pd.DataFrame({"items": [history]}), params={"k": K}), asked
    )
    return result


def over_http(connection: Connection, uri: str, asked: list[list[str]], core: int) -> dict[str, Times]:
    """Time requests to `mlflow models serve` on a kept connection, and those that ask nothing."""
    with serving(connection, uri, core) as port:
        client = http.client.HTTPConnection("127.0.0.1", port)

        def ask(history: list[str]) -> None:
            body = json.dumps(
                {"dataframe_split": {"columns": ["items"], "data": [[history]]}, "params": {"k": K}}
            )
            client.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            response = client.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            assert len(answer["predictions"][0]["items"]) == K

        def ping(_: list[str]) -> None:
            client.request("GET", "/ping")
            client.getresponse().read()

        return {"ping": percentiles(ping, asked), "http": percentiles(ask, asked)}


@contextmanager
def serving(connection: Connection, uri: str, core: int) -> Iterator[int]:
    """Run the server on one core and yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        uri,
        "--env-manager",
        "local",
        "-p",
        str(port),
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": connection.tracking_uri, "PATH": path}
    server = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        wait_for(port, server)
        yield port
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when the server answers."""
    for _ in range(300):
        assert server.poll() is None, f"the server ended with {server.returncode}"
        try:
            client = http.client.HTTPConnection("127.0.0.1", port)
            client.request("GET", "/ping")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the server does not answer")


def machine() -> str:
    """Return the processor's name and the number of cores."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return f"{found[1] if found else platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=12_000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--models", nargs="+", choices=("counting", "sasrec"), default=["counting", "sasrec"])
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    asked = histories(given.items, given.requests)
    result: dict[str, object] = {"machine": machine(), "versions": {name: version(name) for name in PACKAGES}}
    with tempfile.TemporaryDirectory() as workspace:
        connection = connect(load_config(overrides=[f"workspace={workspace}"]))
        for kind in given.models:
            folder = write_model(kind, given.items, Path(workspace) / kind)
            uri = register(connection, kind, folder)
            times = in_process(kind, folder, uri, asked)
            os.sched_setaffinity(0, {cores[-1]})
            times |= over_http(connection, uri, asked, cores[0])
            os.sched_setaffinity(0, {cores[0]})
            result[kind] = times
    print(json.dumps({"items": given.items, "requests": given.requests, **result}, indent=1))


if __name__ == "__main__":
    main()
