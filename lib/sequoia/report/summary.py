"""The format of `<workspace>/summary.json`: what a run did, in numbers, for programs to read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Base of all parts: these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StageSummary(Part):
    """The last run of one stage."""

    name: str
    seconds: float = Field(ge=0, description="wall-clock seconds")
    rows_in: int = Field(ge=0, description="rows read")
    rows_out: int = Field(ge=0, description="rows written")


class FileSummary(Part):
    """One raw file: lines = kept + quarantined + duplicates."""

    name: str = Field(description="relative to the input folder")
    lines: int = Field(ge=0)
    kept: int = Field(ge=0, description="lines that became a row of interactions or items")
    quarantined: int = Field(ge=0, description="lines set aside as unusable")
    duplicates: int = Field(ge=0, description="good lines that say again what a kept line says")


class IngestSummary(Part):
    """The raw files, and the interactions they hold after de-duplication."""

    files: list[FileSummary]
    users: int = Field(ge=0, description="distinct users with an interaction")
    items: int = Field(ge=0, description="distinct items with an interaction")
    interactions: int = Field(ge=0)


class KcoreSummary(Part):
    """What the k-core filter left."""

    k: int = Field(ge=1, description="least interactions of a user and of an item")
    rounds: int = Field(ge=0, description="rounds of the filter until nothing changed")
    users: int = Field(ge=0)
    items: int = Field(ge=0)
    interactions: int = Field(ge=0)


class SequencesSummary(Part):
    """The user sequences of the k-core."""

    rows: int = Field(ge=0, description="users with a sequence")


class MetricSummary(Part):
    """A mean over test users with its bootstrap interval; coverage, a share of items, has none."""

    value: float
    low: float | None
    high: float | None


class ModelSummary(Part):
    """The model in use."""

    name: str = Field(description="name in the registry")
    version: str | None = Field(description="version the alias names, null for none")
    alias: str


class RecommendationsSummary(Part):
    """The table of recommendations."""

    users: int = Field(ge=0)
    k: int = Field(ge=1, description="items for each user")


class PathsSummary(Part):
    """Where the results are."""

    warehouse: str = Field(description="folder of the tables, or catalog schema")
    mlflow: str = Field(description="sqlite file of the MLflow store, or address of the MLflow server")
    report: str = Field(description="HTML page")


class Summary(Part):
    """A workspace after the last run of each stage."""

    stages: list[StageSummary] = Field(description="in the order of the road")
    ingest: IngestSummary
    kcore: KcoreSummary
    sequences: SequencesSummary
    metrics: dict[str, dict[str, MetricSummary]] = Field(
        description="model, then metric such as ndcg@10: test split, full ranking of all items"
    )
    model: ModelSummary
    recommendations: RecommendationsSummary
    paths: PathsSummary
