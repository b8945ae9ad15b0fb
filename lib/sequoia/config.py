"""One strict configuration: a YAML file that may extend another, plus `section.key=value` overrides.

All values live in conf/base.yaml; the classes only say what is allowed. The file a user names may hold just
what differs: `extends: base.yaml` (a neighbour, or a file shipped with sequoia) fills the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator

from sequoia.config_layers import COMMAND_LINE, Key, Layered, read_layers
from sequoia.config_types import (
    Setting,
    example,
    how_to_write,
    setting_at,
    shortened,
    unknown_key,
    value_of,
    wanted,
)
from sequoia.errors import UserError
from sequoia.evaluate.settings import EvaluateSettings
from sequoia.ingest.settings import IngestSettings
from sequoia.models.settings import ModelsSettings
from sequoia.negatives.settings import NegativesSettings
from sequoia.promote.settings import PromoteSettings
from sequoia.recommend.settings import RecommendSettings
from sequoia.retention.settings import RetentionSettings
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

    @field_validator("registered_model")
    @classmethod
    def _names_a_model(cls, name: str) -> str:
        # MLflow's searches take the name between quotes and know no way to write one inside.
        if not re.fullmatch(r"""[^'"`/:%]+""", name):
            raise ValueError(f"{name!r} must be a name without quotes, / : and %: rename it")
        return name


class LoggingSettings(Settings):
    """How a run speaks on standard error."""

    format: Literal["text", "json"]
    level: Literal["debug", "info", "warning", "error"]


class Config(Settings):
    """Everything a run needs to know."""

    workspace: str
    run_id: str | None
    logging: LoggingSettings
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
    retention: RetentionSettings

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

    @field_validator("run_id")
    @classmethod
    def _names_a_run(cls, run_id: str | None) -> str | None:
        if run_id is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", run_id):
            raise ValueError(f"{run_id!r} must be 1 to 64 letters, digits and . _ -: shorten or rename it")
        return run_id

    @property
    def workspace_path(self) -> Location:
        """Return the workspace folder, of this machine or remote."""
        return locate(self.workspace)


def load_config(path: str | Path = "base.yaml", overrides: Sequence[str] = ()) -> Config:
    """Load a YAML file (a path, or a name shipped in conf/) with overrides such as `training.epochs=3`.

    Raises UserError with the key, what is wrong with it, and how to write what is wanted.
    """
    return validated(load_layers(path, overrides))


def load_layers(path: str | Path, overrides: Sequence[str]) -> Layered:
    """Read the file, those it extends, and the overrides, which replace a setting or change a section."""
    layered = read_layers(str(path))
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign or not key.strip():
            raise UserError(
                f"override {override!r} is not of the form section.key=value, such as training.epochs=3"
            )
        setting = setting_at(Config, key.strip().split("."))
        value = value_of(text, setting)
        if isinstance(value, dict) and isinstance(setting.kind, type) and issubclass(setting.kind, BaseModel):
            layered.lay(value, COMMAND_LINE, setting.key)
        else:
            layered.replace(setting.key, value, COMMAND_LINE)
    return layered


def validated(layered: Layered) -> Config:
    """Check all values; raises UserError with the first mistake in one sentence."""
    try:
        return Config.model_validate(layered.values)
    except ValidationError as error:
        raise UserError(_explain(error, layered)) from None


def _explain(error: ValidationError, layered: Layered) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return unknown_key(_section(path[:-1]), path[:-1], path[-1])
    if first["type"] == "missing":
        return f"setting {'.'.join(path)} is missing: let the file extend base.yaml, or add the key"
    if first["type"] == "value_error":
        return f"setting {'.'.join(path)}: {first['msg'].removeprefix('Value error, ')}"
    return _wrong_type(path, first["input"], layered)


def _section(path: list[str]) -> type[BaseModel]:
    kind: type[BaseModel] = setting_at(Config, path).kind
    return kind


def _wrong_type(path: list[str], given: Any, layered: Layered) -> str:
    """Say what stands there, what is wanted, and how to write that."""
    if path[-1] == "[key]":
        return f"setting {'.'.join(path[:-2])}: key {shortened(given)} must be text: put it in quotes"
    entry = path.pop() if path[-1].isdigit() else None
    setting, key = setting_at(Config, path), tuple(path)
    what = f"setting {'.'.join(setting.key)} = {shortened(given)}"
    if entry is not None:
        what = f"entry {int(entry) + 1} of setting {'.'.join(setting.key)}, {shortened(given)},"
    base = _base_value(setting.key)
    mended = example(setting, given if entry is None else None, base)
    if isinstance(setting.kind, type) and issubclass(setting.kind, BaseModel):
        return f"{what} must be a section: give one of its keys, such as {_first_of(setting)}"
    remedy = ", such as" if mended == base else ": write"
    written = how_to_write(setting.key, mended, layered.origin(key))
    return f"{what} must be {wanted(setting)}{remedy} {written}"


def _first_of(section: Setting) -> str:
    name = next(iter(section.kind.model_fields))
    value = _base_value((*section.key, name))
    return how_to_write((*section.key, name), value, COMMAND_LINE)


def _base_value(key: Key) -> Any:
    value: Any = read_layers("base.yaml").values
    for name in key:
        value = value.get(name) if isinstance(value, dict) else None
    return value
