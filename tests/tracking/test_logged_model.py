"""The registered model in a process: what it answers, what it refuses, and that it brings its own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from evaluate.world import RAW, save_counting
from mlflow.exceptions import MlflowException

from sequoia.config import load_config
from sequoia.modelling.features import FeatureSettings
from sequoia.modelling.item_index import ItemIndex
from sequoia.models.sasrec import SasRec
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import start_run

pytestmark = pytest.mark.mlflow

BESIDE_ANOTHER_SEQUOIA = """
import json, sys
import sequoia
assert sequoia.__version__ == "99"
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
for version in (1, 2):
    model = mlflow.pyfunc.load_model(f"models:/sequoia-next-item/{version}")
    print(json.dumps(model.predict({"items": ["i10"]}, params={"k": 3})["items"].tolist()))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("sequoia") and "." not in name)))
import sequoia.newer
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Connection:
    """Version 1 is a counting model of the ring, version 2 a SASRec of the same items."""
    workspace = tmp_path_factory.mktemp("workspace")
    made = connect(load_config(overrides=[f"workspace={workspace}"]))
    counting = save_counting(workspace / "models" / "counting", step=1)
    register(made, "counting", counting)
    sasrec = workspace / "models" / "sasrec"
    sasrec.mkdir()
    (sasrec / "items.parquet").write_bytes((counting / "items.parquet").read_bytes())
    made_of_raw = SasRec.make(load_config().models.sasrec.model_dump(), len(RAW) + 2)
    made_of_raw.add_features(FeatureSettings(items=[], events=["gap", "rating"]), ItemIndex.read(sasrec))
    made_of_raw.save(sasrec, extra={})
    register(made, "sasrec", sasrec)
    return made


def register(connection: Connection, name: str, folder: Path) -> None:
    uri = log_model(connection, start_run(connection, name).id, name, folder, ["i00"])
    registry.register(connection, uri, {registry.FINGERPRINT: name})


@pytest.fixture(scope="module")
def model(connection: Connection) -> Iterator[Any]:
    before = set(sys.modules), list(sys.path)
    assert not [name for name in before[0] if name.startswith("sequoia_model_")], (
        "logging left its copy behind"
    )
    mlflow.set_tracking_uri(connection.tracking_uri)
    yield mlflow.pyfunc.load_model("models:/sequoia-next-item/1")
    sys.path = before[1]


def asked(model: Any, histories: list[Any], **params: object) -> list[list[str]]:
    answer = model.predict(pd.DataFrame({"items": histories}), params=params)
    for items, scores in zip(answer["items"], answer["scores"], strict=True):
        assert len(items) == len(scores)
        assert scores == sorted(scores, reverse=True)
    return [list(items) for items in answer["items"]]


def test_raw_ids_are_answered_with_raw_ids(model: Any) -> None:
    assert asked(model, [["i00", "i10"], ["i29"]], k=3) == [["i11", "i01", "i02"], ["i00", "i01", "i02"]]
    assert len(asked(model, [["i05"]])[0]) == 10
    assert model.predict({"items": ["i10"]}, params={"k": 1})["items"].tolist() == [["i11"]]


@pytest.mark.parametrize("history", [[], None, ["nobody"], ["nobody", None], [""]])
def test_without_a_known_item_the_most_popular_are_answered(model: Any, history: list[str] | None) -> None:
    assert asked(model, [history, ["i10"]], k=2) == [["i00", "i01"], ["i11", "i00"]]


@pytest.mark.parametrize("k", [29, 30, 1000, 10**12])
def test_k_above_the_catalogue_gives_all_unseen_items(model: Any, k: int) -> None:
    assert sorted(asked(model, [["i10"]], k=k)[0]) == [item for item in RAW if item != "i10"]


def test_no_users_no_answers(model: Any) -> None:
    assert asked(model, []) == []


@pytest.mark.parametrize(
    ("given", "params", "says"),
    [
        ({"items": [["i10"]]}, {"k": 0}, "k is 0: ask for at least 1 item"),
        ({"items": [["i10"]]}, {"k": -3}, "k is -3: ask for at least 1 item"),
        ({"items": [["i10"]]}, {"k": "5"}, r"Can not safely convert .*str.* to .*long.* for value `5`"),
        ({"items": [["i10"]]}, {"k": 2.5}, r"Can not safely convert .*float.* for value `2\.5`"),
        ({"history": [["i10"]]}, {}, "column items is missing: send in it a list of raw item ids"),
        ({"items": [[10, 11]]}, {}, "Can not safely convert int64"),
        ({"items": ["i10"]}, {}, "Expected data to be list or numpy array, got str"),
        ({"items": [10]}, {}, "Expected data to be list or numpy array, got int"),
    ],
)
def test_a_mistake_is_told_as_the_caller_s(
    model: Any, given: dict[str, Any], params: dict[str, Any], says: str
) -> None:
    with pytest.raises(MlflowException, match=says) as raised:
        model.predict(pd.DataFrame(given), params=params)
    assert raised.value.get_http_status_code() == 400


def test_null_for_k_is_the_default(model: Any) -> None:
    assert len(asked(model, [["i05"]], k=None)[0]) == 10


def test_items_of_the_history_are_recommended_where_the_request_says_so(model: Any) -> None:
    hidden, shown = (asked(model, [["i00", "i05"]], k=3, hide_seen=hide)[0] for hide in (True, False))
    assert hidden == ["i06", "i01", "i02"]
    assert shown == ["i06", "i00", "i01"]


def test_a_model_is_told_times_and_ratings_where_it_looks_at_them(connection: Connection, model: Any) -> None:
    looks = mlflow.pyfunc.load_model("models:/sequoia-next-item/2")
    items, day = [["i00", "i05"], ["i07"]], 86_400_000

    def scores(**columns: list[Any]) -> list[float]:
        answer = looks.predict(pd.DataFrame({"items": items, **columns}), params={"k": 1})
        return [score for of_user in answer["scores"] for score in of_user]

    told = scores(times=[[day, 9 * day], [day]], ratings=[[5.0, 1.0], [4.0]])
    assert scores() == scores(times=[[0, 0], [0]], ratings=[[0.0, 0.0], None]) != told
    assert scores(ratings=[[5.0, 1.0], [4.0]])[1] == told[1]
    with pytest.raises(MlflowException, match="times and items differ in length: send one value for each"):
        scores(times=[[day], [day]])
    assert asked(model, items, k=1) == [["i06"], ["i08"]]


def test_models_answer_with_their_own_code_beside_another_sequoia(
    connection: Connection, tmp_path: Path
) -> None:
    newer = tmp_path / "sequoia"
    newer.mkdir()
    (newer / "__init__.py").write_text("__version__ = '99'\n")
    (newer / "newer.py").write_text("")
    command = [sys.executable, "-c", BESIDE_ANOTHER_SEQUOIA, connection.tracking_uri]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counting, sasrec, names = map(json.loads, done.stdout.splitlines()[-3:])
    assert counting == [["i11", "i00", "i01"]]
    assert set(sasrec[0]) < set(RAW) - {"i10"}
    assert len(sasrec[0]) == 3
    assert names[0] == "sequoia"
    assert len(names) == 3  # one package for each kind


def test_what_is_stored_needs_public_packages_and_no_pickle(connection: Connection) -> None:
    for number, torch in (("1", False), ("2", True)):
        folder = Path(
            mlflow.artifacts.download_artifacts(
                f"models:/sequoia-next-item/{number}", tracking_uri=connection.tracking_uri
            )
        )
        lines = (folder / "requirements.txt").read_text().splitlines()
        assert any(line.startswith("torch==") for line in lines) == torch
        assert all(line.count("==") == 1 and "+" not in line for line in lines)
        assert not any(line.startswith("sequoia") for line in lines)
        assert (
            f"python: {'.'.join(map(str, sys.version_info[:3]))}" in (folder / "python_env.yaml").read_text()
        )
        # Python adds compiled code where a model was loaded from its folder, as the other tests do.
        files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
        stored = {path.suffix for path in files}
        assert stored <= {"", ".py", ".txt", ".yaml", ".json", ".parquet", ".safetensors"}
