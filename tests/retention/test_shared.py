"""`sequoia clean` where others use the same registry or the same experiment: what they need stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import mlflow
import pandas as pd
import pytest
from mlflow.entities.model_registry.model_version_search import ModelVersionSearch
from mlflow.exceptions import MlflowException
from retention.world import LATER, NAME, fail, promote, promote_logged, removed, runs, train, versions

from sequoia.errors import UserError
from sequoia.modelling.trained import TrainedModel
from sequoia.promote import intent
from sequoia.promote.release import release
from sequoia.retention.clean import clean
from sequoia.road.stage import Context
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.references import Reference, reference
from sequoia.tracking.runs import start_run

MakeContext = Callable[..., Context]
pytestmark = pytest.mark.usefixtures("with_store")
PROD = "prod.sequoia.next_item"
PAGE = 100  # registered models that MLflow tells at once


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intent, "SETTLE", 0.01)


def clean_later(context: Context) -> str:
    return clean(context, dry_run=False, now=datetime.now(UTC) + LATER)


def answer(context: Context, uri: str) -> list[str]:
    """Ask the registered model what follows on i00."""
    connect(context.config).client  # noqa: B018  (points mlflow's functions to the right addresses)
    found = mlflow.pyfunc.load_model(uri).predict(pd.DataFrame({"items": [["i00"]]}), params={"k": 1})
    return list(found["items"][0])


def folder_of(context: Context, run_id: str) -> Path:
    run = connect(context.config).client.get_run(run_id)
    return Path(unquote(urlparse(run.info.artifact_uri).path))


def test_a_released_champion_answers_when_all_that_it_was_copied_from_is_old(
    make_context: MakeContext,
) -> None:
    context = make_context("retention.champions=2")
    client = connect(context.config).client
    for number in range(PAGE):
        client.create_registered_model(f"another-{number:03d}")
    first = train(context, "a", step=3)
    version = promote(context, first, None)
    release(context, source=NAME, target=PROD, alias="champion")
    for letter in "bc":
        version = promote(context, train(context, letter), version)
    for folder in (first.folder, context.config.workspace_path / "models" / "registered"):
        shutil.rmtree(folder)

    told = removed(clean_later(context))
    assert (f"{NAME} version 1", "version") in told
    assert not [line for line in told if line[1] == "run"]
    assert versions(context) == {"2", "3"}
    assert answer(context, f"models:/{PROD}@champion") == ["i03"]

    # When prod has it no longer either, nothing needs the run.
    client.delete_model_version(PROD, "1")
    assert removed(clean_later(context)) == [(f"counting {first.mlflow_run_id}", "run")]
    assert first.mlflow_run_id not in runs(context)


def test_files_that_a_version_names_by_their_place_alone_stay(make_context: MakeContext) -> None:
    context = make_context()
    connection, kept, spare = connect(context.config), train(context, "a"), train(context, "b")
    place = folder_of(context, kept.mlflow_run_id)
    for folder in (kept.folder, spare.folder):
        shutil.rmtree(folder)
    client = connection.client
    client.create_registered_model("by-hand")
    client.create_model_version("by-hand", f"{place.as_uri()}/items.parquet")
    client.copy_model_version("models:/by-hand/1", "copied-by-hand")
    client.delete_model_version("by-hand", "1")
    assert (f"counting {spare.mlflow_run_id}", "run") in removed(clean_later(context))
    assert runs(context) == {kept.mlflow_run_id}
    assert (place / "items.parquet").is_file()


def test_nothing_goes_when_the_registry_does_not_tell_all(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context()
    model = train(context, "a")
    connect(context.config).client.create_registered_model("another")
    ask = mlflow.MlflowClient.search_model_versions

    def fail_for_another(client: mlflow.MlflowClient, wanted: str, **options: Any) -> Any:
        if "another" in wanted:
            raise MlflowException("database is locked")
        return ask(client, wanted, **options)

    monkeypatch.setattr(mlflow.MlflowClient, "search_model_versions", fail_for_another)
    with pytest.raises(UserError, match="database is locked"):
        clean_later(context)
    assert runs(context) == {model.mlflow_run_id}
    assert (model.folder / "model.json").is_file()


def test_the_runs_and_versions_of_another_workspace_stay(make_context: MakeContext, tmp_path: Path) -> None:
    """Both use one store, one experiment and one registered model, and a scheduler's date as run id."""
    common = ("retention.champions=2", "run_id=2026-11-21")
    context = make_context(*common)
    store = f"tracking.uri=sqlite:///{tmp_path / 'workspace' / 'mlflow.db'}"
    other = make_context(*common, f"workspace={tmp_path / 'other'}", store)
    version: str | None = None
    models = {}
    for letter, who in {"a": context, "b": other, "c": other, "d": context}.items():
        models[letter] = train(who, letter)
        version = promote(who, models[letter], version)
    own_failed, their_failed = fail(context, "e"), fail(other, "f")
    elsewhere = from_another_machine(context, models["a"])
    for model in models.values():
        shutil.rmtree(model.folder)

    told = removed(clean_later(context))
    assert [name for name, kind in told if kind == "version"] == [f"{NAME} version 1"]
    assert versions(context) == {"2", "3", "4"}
    gone = {name.split()[-1] for name, kind in told if kind == "run"}
    assert gone == {models["a"].mlflow_run_id, own_failed}
    assert runs(context) == {models[letter].mlflow_run_id for letter in "bcd"} | {their_failed, elsewhere}

    told = removed(clean_later(other))
    assert [name.split()[-1] for name, kind in told if kind in ("run", "version")] == [their_failed]


def from_another_machine(context: Context, model: TrainedModel) -> str:
    """Start a run as a workspace of the same path does on another machine; return its id."""
    connection = connect(context.config)
    tags = connection.client.get_run(model.mlflow_run_id).data.tags
    own = {key: value for key, value in tags.items() if key.startswith("sequoia.")}
    return start_run(connection, "elsewhere", {**own, "sequoia.run_id": "another"}).id


def test_with_mlflow_2_a_model_is_among_the_files_of_its_run(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context()
    client, models = connect(context.config).client, {}
    for letter in "ab":
        models[letter] = train(context, letter)
        run_id = models[letter].mlflow_run_id
        uri = log_model(connect(context.config), run_id, "counting", models[letter].folder, ["i00"])
        logged = mlflow.artifacts.download_artifacts(uri)
        client.log_artifacts(run_id, logged, "model")
    monkeypatch.delattr(mlflow.MlflowClient, "search_logged_models", raising=False)
    place = folder_of(context, models["a"].mlflow_run_id)
    promote_logged(context, models["a"], f"{place.as_uri()}/model", None)
    spare = folder_of(context, models["b"].mlflow_run_id)
    for model in models.values():
        shutil.rmtree(model.folder)
    assert (spare / "model" / "MLmodel").is_file()
    clean_later(context)
    assert runs(context) == {models["a"].mlflow_run_id}
    assert answer(context, f"models:/{NAME}@champion") == ["i01"]
    assert not spare.exists()


def test_of_unity_catalog_s_versions_the_run_is_told_and_no_file(make_context: MakeContext) -> None:
    catalog = replace(connect(make_context().config), registry_uri="databricks-uc")
    found = ModelVersionSearch("prod.shop.next_item", "7", 1, run_id="4711", source="dbfs:/somewhere")
    assert reference(catalog, found) == Reference(
        name="prod.shop.next_item", number="7", runs=frozenset({"4711"}), model=None, place=None
    )
