"""Log a model folder as a registrable MLflow model that needs nothing but public packages, without pickle."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sequoia.modelling.folder import event_columns_of
from sequoia.modelling.registry import kind_of, module_of
from sequoia.tracking.bundle import importable, write_bundle
from sequoia.tracking.connection import Connection

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

ARTIFACT = "model"
DEFAULT_K = 10
ENTRY = "sequoia.tracking.next_item_model"

# A training folder holds more, such as the validation users.
MODEL_FILES = ("model.json", "weights.safetensors", "items.parquet")


def log_model(
    connection: Connection,
    run_id: str,
    name: str,
    folder: Path,
    example_items: list[str],
    *,
    hide_seen: bool = True,
) -> str:
    """Log the folder to a run, with the code and the pins that its kind needs; return the model's URI.

    hide_seen: whether a request that does not say it gets no items of its history.
    """
    connection.client  # noqa: B018  (points mlflow's functions to the right addresses)
    import mlflow
    import pandas as pd

    # The name of a model is called name since MLflow 3.
    named = "name" if "name" in signature(mlflow.pyfunc.log_model).parameters else "artifact_path"
    with TemporaryDirectory() as temporary:
        bundle = write_bundle(Path(temporary), ENTRY, module_of(kind_of(folder)))
        with importable(bundle), mlflow.start_run(run_id=run_id):
            logged = mlflow.pyfunc.log_model(
                **{named: name},
                python_model=str(bundle.entry),
                code_paths=[str(bundle.package)],
                artifacts={ARTIFACT: str(_only_model_files(folder, Path(temporary) / ARTIFACT))},
                signature=_signature(hide_seen, event_columns_of(folder)),
                input_example=pd.DataFrame({"items": [example_items]}),
                pip_requirements=bundle.requirements,
            )
    return str(logged.model_uri)


def _signature(hide_seen: bool, columns: Sequence[str]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, ParamSchema, ParamSpec, Schema

    ids, kinds = Array(DataType.string), {"times": DataType.long, "ratings": DataType.double}
    return ModelSignature(
        # A null is a user without a history.
        inputs=Schema(
            [
                ColSpec(ids, "items", required=False),
                *(ColSpec(Array(kinds[name]), name, required=False) for name in columns),
            ]
        ),
        outputs=Schema([ColSpec(ids, "items"), ColSpec(Array(DataType.double), "scores")]),
        params=ParamSchema(
            [
                ParamSpec("k", DataType.long, DEFAULT_K),
                ParamSpec("hide_seen", DataType.boolean, hide_seen),
            ]
        ),
    )


def _only_model_files(folder: Path, copy: Path) -> Path:
    copy.mkdir()
    for name in MODEL_FILES:
        copyfile(folder / name, copy / name)
    return copy
