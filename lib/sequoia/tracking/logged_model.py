"""Log a model folder as a registrable MLflow model with signature and example, without pickle."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from sequoia.tracking.connection import Connection

ARTIFACT = "model"
DEFAULT_K = 10
# sequoia itself is installed as this project's wheel: its name on a public index is somebody else's.
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow", "safetensors", "scipy", "torch", "pydantic", "pyyaml")

# A training folder holds more, such as the validation users.
MODEL_FILES = ("model.json", "weights.safetensors", "items.parquet")


def log_model(connection: Connection, run_id: str, name: str, folder: Path, example_items: list[str]) -> str:
    """Log the folder to a run and return the model's URI.

    The file with the code is named and not imported, so it is stored as text.
    """
    connection.client  # noqa: B018  (points mlflow's functions to the right addresses)
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, ParamSchema, ParamSpec, Schema

    signature = ModelSignature(
        inputs=Schema([ColSpec(Array(DataType.string), "items")]),
        outputs=Schema([ColSpec(Array(DataType.string), "items"), ColSpec(Array(DataType.double), "scores")]),
        params=ParamSchema([ParamSpec("k", DataType.long, DEFAULT_K)]),
    )
    with TemporaryDirectory() as temporary, mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name=name,
            python_model=str(Path(__file__).with_name("next_item_model.py")),
            artifacts={ARTIFACT: str(_only_model_files(folder, Path(temporary) / ARTIFACT))},
            signature=signature,
            input_example=pd.DataFrame({"items": [example_items]}),
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
        )
    return str(logged.model_uri)


def _only_model_files(folder: Path, copy: Path) -> Path:
    copy.mkdir()
    for name in MODEL_FILES:
        copyfile(folder / name, copy / name)
    return copy
