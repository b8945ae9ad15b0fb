"""Settings of the train stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sequoia.modelling.names import model_names
from sequoia.settings import Device, Settings

if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = Literal[*model_names()]
Reader = Literal["petastorm", "pyarrow"]


class TrainingSettings(Settings):
    """How models are trained; what they are stands under `models`."""

    models: list[ModelName] = Field(min_length=1)
    launcher: Literal["horovod", "torchrun", "single", "horovod-spark", "torch-distributor"]
    hosts: str | None
    device: Device
    reader: Reader
    processes: int = Field(ge=1)
    threads: int = Field(ge=1)
    timeout_seconds: int = Field(ge=10)
    lanes: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    token_budget: int = Field(ge=1)
    precision: Literal["auto", "float32", "bfloat16"]
    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    item_optimizer: Literal["auto", "dense", "adam", "adagrad"]
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    clip_norm: float | None = Field(gt=0)
    patience: int = Field(ge=1)
    validation_users: int = Field(ge=1)
    checkpoint_epochs: int = Field(ge=1)
    checkpoint_steps: int | None = Field(ge=1)
    resume: bool
    resume_from: str | None
    warm_start: str | None
