"""One strict configuration: a YAML file that may extend another, plus `section.key=value` overrides.

All values live in conf/base.yaml; the classes only say what is allowed. The file a user names may hold just
what differs: `extends: base.yaml` (a neighbour, or a file shipped with sequoia) fills the rest.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator

from sequoia.errors import UserError
from sequoia.evaluate.settings import EvaluateSettings
from sequoia.ingest.settings import IngestSettings
from sequoia.models.settings import ModelsSettings
from sequoia.negatives.settings import NegativesSettings
from sequoia.promote.settings import PromoteSettings
from sequoia.recommend.settings import RecommendSettings
from sequoia.sequences.settings import SequencesSettings
from sequoia.settings import Settings
from sequoia.storage import Location, is_local, locate
from sequoia.synthetic.settings import CorpusSettings
from sequoia.training.settings import TrainingSettings


class SparkSettings(Settings):
    """How a local Spark session starts; spark-submit's and Databricks' own values win over these."""

    master: str
    driver_memory: str
    shuffle_partitions: int = Field(ge=1)
    conf: dict[str, str]


class TablesSettings(Settings):
    """Where tables live: a catalog schema, or a folder of the workspace when null."""

    namespace: str | None


class TrackingSettings(Settings):
    """MLflow's address and names; null means the sqlite file of the workspace."""

    uri: str | None
    registry_uri: str | None
    experiment: str
    registered_model: str


class Config(Settings):
    """Everything a run needs to know."""

    workspace: str
    seed: int = Field(ge=0, lt=2**31)
    spark: SparkSettings
    tables: TablesSettings
    tracking: TrackingSettings
    synthetic: CorpusSettings
    ingest: IngestSettings
    sequences: SequencesSettings
    negatives: NegativesSettings
    models: ModelsSettings
    training: TrainingSettings
    evaluate: EvaluateSettings
    promote: PromoteSettings
    recommend: RecommendSettings

    @field_validator("workspace")
    @classmethod
    def _is_a_location(cls, workspace: str) -> str:
        locate(workspace)
        return workspace

    @field_validator("tracking")
    @classmethod
    def _has_a_store(cls, tracking: TrackingSettings, others: ValidationInfo) -> TrackingSettings:
        workspace = others.data.get("workspace")
        if tracking.uri is None and workspace is not None and not is_local(locate(workspace)):
            raise ValueError(
                f"uri is null, but MLflow's sqlite file cannot lie in the remote workspace {workspace}: set "
                "tracking.uri to the address of an MLflow server"
            )
        return tracking

    @property
    def workspace_path(self) -> Location:
        """Return the workspace folder, of this machine or remote."""
        return locate(self.workspace)


def load_config(path: str | Path = "base.yaml", overrides: Sequence[str] = ()) -> Config:
    """Load a YAML file (a path, or a name shipped in conf/) with overrides such as `training.epochs=3`.

    Raises UserError with the key, what is wrong with it, and the nearest known key for an unknown one.
    """
    values = _read(str(path), base=None)
    for override in overrides:
        _apply(values, override)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise UserError(_explain(error)) from None


def _read(name: str, base: Path | None) -> dict[str, Any]:
    # What is shipped may lie in a zip, where a file has no path.
    shipped = {entry.name: entry for entry in files("sequoia.conf").iterdir() if entry.name.endswith(".yaml")}
    paths = [*([base / name] if base else []), Path(name)]
    found = next((path for path in paths if path.is_file()), None) or shipped.get(name)
    if found is None:
        known = ", ".join(sorted(shipped))
        raise UserError(f"no configuration file {name}: name a YAML file, or one of {known}")
    try:
        values = yaml.safe_load(found.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise UserError(f"{found} is not YAML ({' '.join(str(error).split())}): mend that line") from None
    if not isinstance(values, dict):
        raise UserError(
            f"{found} holds a {type(values).__name__}, not sections with keys: see conf/base.yaml"
        )
    parent = values.pop("extends", None)
    return values if parent is None else _merge(_read(str(parent), getattr(found, "parent", None)), values)


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _apply(values: dict[str, Any], override: str) -> None:
    key, sign, text = override.partition("=")
    if not sign or not key:
        raise UserError(
            f"override {override!r} is not of the form section.key=value, such as training.epochs=3"
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    *sections, last = key.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise UserError(f"override {override!r}: {section} is a value, not a section: shorten the key")
    values[last] = value


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    path = [part for part in first["loc"] if isinstance(part, str)]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        nearest = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.4)
        hint = (
            f"did you mean {'.'.join([*path[:-1], nearest[0]])}?"
            if nearest
            else f"known are {', '.join(known)}"
        )
        return f"unknown setting {key}: {hint}"
    if first["type"] == "missing":
        return f"setting {key} is missing: let the file extend base.yaml, or add the key"
    message = first["msg"].removeprefix("Value error, ")
    where = f"setting {key} = {first['input']!r}: " if first["type"] != "value_error" else f"setting {key}: "
    return where + message[0].lower() + message[1:]


def _known_keys(path: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for part in path:
        annotation = model.model_fields[part].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        model = annotation
    return sorted(model.model_fields)
