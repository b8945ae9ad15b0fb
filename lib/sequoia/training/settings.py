"""Settings of the train stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sequoia.settings import Settings


class TrainingSettings(Settings):
    """How models are trained; what they are stands under `models`."""

    models: list[Literal["sasrec", "counting"]] = Field(min_length=1)
    launcher: Literal["horovod", "torchrun", "single"]
    processes: int = Field(ge=1)
    threads: int = Field(ge=1)
    timeout_seconds: int = Field(ge=10)
    lanes: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    patience: int = Field(ge=1)
    validation_users: int = Field(ge=1)
    checkpoint_epochs: int = Field(ge=1)
    resume: bool
    resume_from: str | None

    @model_validator(mode="after")
    def _every_process_has_a_lane(self) -> TrainingSettings:
        if self.processes > self.lanes:
            raise ValueError(
                f"processes {self.processes} exceed lanes {self.lanes}: raise training.lanes "
                "and sequences.shards"
            )
        if self.batch_size % self.lanes:
            raise ValueError(
                f"batch_size {self.batch_size} is no multiple of lanes {self.lanes}: change "
                "training.batch_size"
            )
        return self
