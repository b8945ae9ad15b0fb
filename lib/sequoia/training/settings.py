"""Settings of the train stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

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
    compile: bool
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

    @model_validator(mode="after")
    def _hosts_have_places(self) -> TrainingSettings:
        if self.hosts is None:
            return self
        if self.launcher != "horovod":
            raise ValueError(f"hosts {self.hosts} with launcher {self.launcher}: only horovod starts on them")
        places = [host.rpartition(":")[2] for host in self.hosts.split(",")]
        if not all(place.isdecimal() for place in places):
            raise ValueError(f"hosts {self.hosts} is not of the form machine:places, such as gpu1:4,gpu2:4")
        if sum(map(int, places)) < self.processes:
            raise ValueError(
                f"hosts {self.hosts} have {sum(map(int, places))} places for processes = {self.processes}: "
                "name more, or lower processes"
            )
        return self
