"""What a run may be told: every section and value; the values are in conf/base.yaml and conf/models."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from sequoia.config.models import models_section
from sequoia.evaluate.settings import EvaluateSettings
from sequoia.ingest.settings import IngestSettings
from sequoia.losses.settings import LossSettings
from sequoia.modelling.features import FeatureSettings
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
    models: models_section()  # type: ignore[valid-type]
    features: FeatureSettings
    training: TrainingSettings
    loss: LossSettings
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
